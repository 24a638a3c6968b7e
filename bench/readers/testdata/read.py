"""Reads the table of events with one of Python's engines and prints what it found, as JSON.

Argument: {"reader", "uri", "s3": {"endpoint", "key", "secret", "region"}, "snapshot"}. The table is found through the
catalog at uri. What is printed is of the snapshot given, all columns of all rows; "head" counts the newest one's rows.
The digest is the sum, modulo 2^64, of the first eight bytes of each row's MD5, so that the order of rows does not count.
"""
import hashlib, json, struct, sys, time
import pyarrow as pa
import pyarrow.compute as pc

ask = json.loads(sys.argv[1])
s3 = ask["s3"]
TABLE = "lake.events"


def catalog_table():
    from pyiceberg.catalog import load_catalog
    return load_catalog("coldstream", **{
        "type": "rest", "uri": ask["uri"], "s3.access-key-id": s3["key"], "s3.secret-access-key": s3["secret"],
    }).load_table(TABLE)


def pyiceberg():
    import pyiceberg
    t = catalog_table()
    yield pyiceberg.__version__
    yield t.scan(snapshot_id=ask["snapshot"]).to_arrow()
    t.refresh()
    yield t.scan(selected_fields=("kafka_offset",)).to_arrow().num_rows


def polars():
    import polars as pl
    yield pl.__version__
    t = catalog_table()
    store = {"aws_endpoint_url": s3["endpoint"], "aws_access_key_id": s3["key"], "aws_secret_access_key": s3["secret"],
             "aws_region": s3["region"], "aws_allow_http": "true"}
    scan = lambda **more: pl.scan_iceberg(t, reader_override="native", storage_options=store, **more)
    yield scan(snapshot_id=ask["snapshot"]).collect().to_arrow()
    t.refresh()
    yield scan().select(pl.len()).collect().item()


def pyarrow():
    """The files of the plan, read by pyarrow alone."""
    import pyarrow.dataset as ds
    from pyarrow.fs import S3FileSystem
    yield pa.__version__
    fs = S3FileSystem(endpoint_override=s3["endpoint"], access_key=s3["key"], secret_key=s3["secret"], region=s3["region"])
    files = lambda scan: ds.dataset([f.file.file_path.removeprefix("s3://") for f in scan.plan_files()], filesystem=fs, format="parquet")
    t = catalog_table()
    yield files(t.scan(snapshot_id=ask["snapshot"])).to_table()
    t.refresh()
    yield files(t.scan()).count_rows()


def duckdb():
    import duckdb, pathlib
    import duckdb_extension_avro, duckdb_extension_httpfs, duckdb_extension_iceberg
    yield duckdb.__version__
    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    for package in (duckdb_extension_httpfs, duckdb_extension_avro, duckdb_extension_iceberg):
        for file in pathlib.Path(package.__file__).parent.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"):
            con.load_extension(str(file))
    con.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{s3["key"]}', SECRET '{s3["secret"]}', REGION '{s3["region"]}',
        ENDPOINT '{s3["endpoint"].removeprefix("http://")}', URL_STYLE 'path', USE_SSL false)""")
    con.execute(f"""ATTACH '' AS coldstream (TYPE iceberg, ENDPOINT '{ask["uri"]}', AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none')""")
    yield con.execute(f"SELECT * FROM coldstream.{TABLE} AT (VERSION => {ask['snapshot']})").to_arrow_table()
    con.execute("DETACH coldstream")
    con.execute(f"""ATTACH '' AS coldstream (TYPE iceberg, ENDPOINT '{ask["uri"]}', AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none')""")
    yield con.execute(f"SELECT count(*) FROM coldstream.{TABLE}").fetchone()[0]


def text(column):
    """A column as the digest has it: microseconds for times, a NUL for null."""
    if pa.types.is_timestamp(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("us", tz="UTC")), pa.int64())
    return pc.fill_null(pc.cast(column, pa.large_string()), "\0")


def describe(rows):
    total = lambda name: str(sum(pc.drop_null(rows.column(name)).to_pylist()))
    names = [f"{n}" for n in rows.column_names]
    lines = pc.binary_join_element_wise(*[text(rows.column(n)) for n in names], pa.scalar("\x1f", pa.large_string()))
    digest = 0
    for chunk in lines.chunks if isinstance(lines, pa.ChunkedArray) else [lines]:
        for line in chunk.to_pylist():
            digest += struct.unpack("<Q", hashlib.md5(line.encode()).digest()[:8])[0]
    return {"rows": rows.num_rows, "event_ids": total("event_id"), "offsets": total("kafka_offset"),
            "columns": names, "digest": f"{digest % 2**64:016x}"}


steps = globals()[ask["reader"]]()
version, started = next(steps), time.time()
rows = next(steps)
seconds = time.time() - started
print(json.dumps({"version": version, "seconds": seconds, **describe(rows), "head": next(steps)}))
