import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.time.Instant;
import java.math.BigInteger;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.iceberg.IcebergBuild;
import org.apache.iceberg.Table;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.data.IcebergGenerics;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.types.Types;

/** Reads the table of events with Iceberg's own Java library, through the catalog, and prints what read.py prints. */
public class Read {
  public static void main(String[] args) throws Exception {
    String uri = args[0], key = args[1], secret = args[2];
    long snapshot = Long.parseLong(args[3]);
    try (RESTCatalog catalog = new RESTCatalog()) {
      catalog.initialize("coldstream", Map.of("uri", uri, "s3.access-key-id", key, "s3.secret-access-key", secret));
      Table table = catalog.loadTable(TableIdentifier.of("lake", "events"));
      long started = System.nanoTime();
      long rows = 0, digest = 0;
      BigInteger ids = BigInteger.ZERO, offsets = BigInteger.ZERO;
      try (CloseableIterable<Record> records = IcebergGenerics.read(table).useSnapshot(snapshot).build()) {
        for (Record r : records) {
          rows++;
          ids = ids.add(BigInteger.valueOf((Long) r.getField("event_id")));
          offsets = offsets.add(BigInteger.valueOf((Long) r.getField("kafka_offset")));
          digest += digest(r, table);
        }
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      table.refresh();
      long head = 0;
      try (CloseableIterable<Record> records = IcebergGenerics.read(table).select("kafka_offset").build()) {
        for (Record r : records) {
          head++;
        }
      }
      String columns = table.schema().columns().stream().map(c -> '"' + c.name() + '"').collect(Collectors.joining(","));
      System.out.printf(
          "{\"version\":\"%s\",\"seconds\":%.3f,\"rows\":%d,\"event_ids\":\"%s\",\"offsets\":\"%s\",\"columns\":[%s],\"digest\":\"%016x\",\"head\":%d}%n",
          IcebergBuild.version(), seconds, rows, ids, offsets, columns, digest, head);
    }
  }

  static long digest(Record r, Table table) throws Exception {
    StringBuilder line = new StringBuilder();
    for (Types.NestedField column : table.schema().columns()) {
      if (line.length() > 0 || column != table.schema().columns().get(0)) {
        line.append('\u001f');
      }
      Object v = r.getField(column.name());
      if (v instanceof OffsetDateTime) {
        line.append(ChronoUnit.MICROS.between(Instant.EPOCH, ((OffsetDateTime) v).toInstant()));
      } else {
        line.append(v == null ? "\0" : v.toString());
      }
    }
    byte[] md5 = MessageDigest.getInstance("MD5").digest(line.toString().getBytes(StandardCharsets.UTF_8));
    return ByteBuffer.wrap(md5).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
