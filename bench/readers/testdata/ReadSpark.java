import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Reads the table of events with Spark SQL, through the catalog, and prints what read.py prints. */
public class ReadSpark {
  public static void main(String[] args) throws Exception {
    String catalog = "spark.sql.catalog.coldstream";
    SparkSession spark = SparkSession.builder().master("local[2]").appName("readers")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC").config("spark.sql.datetime.java8API.enabled", "true")
        .config(catalog, "org.apache.iceberg.spark.SparkCatalog")
        .config(catalog + ".type", "rest").config(catalog + ".uri", args[0])
        .config(catalog + ".s3.access-key-id", args[1]).config(catalog + ".s3.secret-access-key", args[2])
        .getOrCreate();
    long started = System.nanoTime();
    Dataset<Row> all = spark.sql("SELECT * FROM coldstream.lake.events VERSION AS OF " + args[3]);
    long rows = 0, digest = 0;
    BigInteger ids = BigInteger.ZERO, offsets = BigInteger.ZERO;
    for (Iterator<Row> i = all.toLocalIterator(); i.hasNext(); ) {
      Row r = i.next();
      rows++;
      ids = ids.add(BigInteger.valueOf(r.<Long>getAs("event_id")));
      offsets = offsets.add(BigInteger.valueOf(r.<Long>getAs("kafka_offset")));
      digest += digest(r);
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    spark.sql("REFRESH TABLE coldstream.lake.events");
    long head = spark.sql("SELECT count(kafka_offset) FROM coldstream.lake.events").first().getLong(0);
    String columns = Arrays.stream(all.columns()).map(c -> '"' + c + '"').collect(Collectors.joining(","));
    System.out.printf(
        "{\"version\":\"%s\",\"seconds\":%.3f,\"rows\":%d,\"event_ids\":\"%s\",\"offsets\":\"%s\",\"columns\":[%s],\"digest\":\"%016x\",\"head\":%d}%n",
        spark.version(), seconds, rows, ids, offsets, columns, digest, head);
    spark.stop();
  }

  static long digest(Row r) throws Exception {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < r.size(); i++) {
      if (i > 0) {
        line.append('\u001f');
      }
      Object v = r.get(i);
      line.append(v == null ? "\0" : v instanceof Instant t ? String.valueOf(ChronoUnit.MICROS.between(Instant.EPOCH, t)) : v.toString());
    }
    byte[] md5 = MessageDigest.getInstance("MD5").digest(line.toString().getBytes(StandardCharsets.UTF_8));
    return ByteBuffer.wrap(md5).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
