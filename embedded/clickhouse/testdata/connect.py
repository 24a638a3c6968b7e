"""clickhouse-connect against the embedded engine: connect.py ADDR USER PASSWORD."""
import datetime
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

host, port = sys.argv[1].rsplit(":", 1)
login = dict(host=host, port=int(port), username=sys.argv[2], password=sys.argv[3], database="coldstream")

for compress in (False, "lz4", "zstd", "gzip"):
    client = clickhouse_connect.get_client(compress=compress, **login)
    assert client.command("SELECT 1") == 1
    client.command(
        """CREATE OR REPLACE TABLE python (id Int64, text String, name LowCardinality(String), at DateTime64(6, 'UTC'),
        maybe Nullable(Int32), tags Array(String), both Tuple(UInt8, String), kv Map(String, UInt64))
        ENGINE = MergeTree ORDER BY id"""
    )
    at = datetime.datetime(2023, 5, 10, 14, 30, 0, 123456)
    rows = [[i, "a\x00b\n\t'%d" % i, "ch", at, None, ["x", ""], (1, "z"), {"k": i}] for i in range(5000)]
    written = client.insert("python", rows, column_names=["id", "text", "name", "at", "maybe", "tags", "both", "kv"])
    assert written.written_rows == 5000, written.summary
    got = client.query("SELECT * FROM python ORDER BY id")
    assert len(got.result_rows) == 5000
    assert got.result_rows[77][1] == "a\x00b\n\t'77"
    assert got.result_rows[77][3].replace(tzinfo=None) == at
    assert got.column_names == ("id", "text", "name", "at", "maybe", "tags", "both", "kv")
    few = client.query("SELECT count() FROM python WHERE id < {n:Int64}", parameters={"n": 10})
    assert few.result_rows == [(10,)], few.result_rows
    with client.query_rows_stream("SELECT number, toString(number) FROM numbers(500000)") as stream:
        assert sum(row[0] for row in stream) == 124999750000
    assert client.query("SELECT 1 WHERE 0").result_rows == []
    try:
        client.query("SELECT * FROM nowhere")
        raise AssertionError("an unknown table was found")
    except DatabaseError as error:
        assert "Code: 60. DB::Exception" in str(error), error
    client.command("CREATE TEMPORARY TABLE session (a UInt8)")
    client.command("INSERT INTO session VALUES (1), (2)")
    assert client.query("SELECT sum(a) FROM session").result_rows == [(3,)]
    client.raw_insert("python", ["id", "text"], b'-1,"raw"\n', fmt="CSV")
    assert client.query("SELECT text FROM python WHERE id = -1").result_rows == [("raw",)]
    client.close()

try:
    clickhouse_connect.get_client(**{**login, "password": "wrong"})
    raise AssertionError("a wrong password was taken")
except DatabaseError as error:
    assert "516" in str(error), error
print("all of it works")
