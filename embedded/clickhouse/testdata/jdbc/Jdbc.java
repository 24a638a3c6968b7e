import java.sql.*;
import java.util.*;

/** What a JDBC tool does when it is pointed at a server: connect, look around, ask, page, prepare, write. */
public class Jdbc {
    static void want(Object got, Object want, String what) {
        if (!Objects.equals(String.valueOf(got), String.valueOf(want))) throw new RuntimeException(what + ": got " + got + ", want " + want);
    }

    /** Queries as Metabase's documentation shows them: a comment in front, names in back quotes, months truncated. */
    static void metabase(String url, Properties p) throws Exception {
        try (Connection c = DriverManager.getConnection(url, p)) {
            c.setReadOnly(true);
            String mark = "-- Metabase:: userID: 1 queryType: MBQL queryHash: 7f\n";
            for (String q : new String[] {
                "SELECT 1", "SELECT timezone() AS tz",
                mark + "SELECT `default`.`by_jdbc`.`a` AS `a`, `default`.`by_jdbc`.`s` AS `s` FROM `default`.`by_jdbc` LIMIT 1048575",
                mark + "SELECT toStartOfMonth(`default`.`by_jdbc`.`t`) AS `t`, count() AS `count` FROM `default`.`by_jdbc` "
                    + "WHERE (`default`.`by_jdbc`.`t` >= parseDateTimeBestEffort('2026-01-01T00:00:00Z')) AND lowerUTF8(`default`.`by_jdbc`.`s`) LIKE '%it%' "
                    + "GROUP BY toStartOfMonth(`default`.`by_jdbc`.`t`) ORDER BY toStartOfMonth(`default`.`by_jdbc`.`t`) ASC",
            }) {
                try (Statement s = c.createStatement()) {
                    s.setMaxRows(2000);
                    s.setQueryTimeout(60);
                    try (ResultSet r = s.executeQuery(q)) {
                        want(r.next(), true, q);
                    }
                }
            }
            // A filter's values are parameters of a prepared statement; a scan fingerprints columns.
            try (PreparedStatement s = c.prepareStatement(mark + "SELECT count() AS `count` FROM `default`.`by_jdbc` WHERE `default`.`by_jdbc`.`s` = ? AND `default`.`by_jdbc`.`t` >= ?")) {
                s.setString(1, "it's ü 1");
                s.setTimestamp(2, Timestamp.valueOf("2026-01-01 00:00:00"));
                try (ResultSet r = s.executeQuery()) {
                    want(r.next() && r.getLong(1) == 1, true, "a filter");
                }
            }
            for (String q : new String[] {
                "SELECT substring(`default`.`by_jdbc`.`s`, 1, 1234) AS `substring1` FROM `default`.`by_jdbc` LIMIT 10000",
                "SELECT `default`.`by_jdbc`.`s` AS `s` FROM `default`.`by_jdbc` GROUP BY `default`.`by_jdbc`.`s` ORDER BY `default`.`by_jdbc`.`s` ASC LIMIT 1000",
                "SELECT count(DISTINCT `default`.`by_jdbc`.`a`) AS `count`, avg(`default`.`by_jdbc`.`a`) AS `avg` FROM `default`.`by_jdbc`",
                "SELECT toDayOfWeek(toDateTime(`default`.`by_jdbc`.`t`)) AS `t`, sum(`default`.`by_jdbc`.`n`) AS `sum` FROM `default`.`by_jdbc` GROUP BY `t` ORDER BY `t` ASC",
            }) {
                try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(q)) {
                    want(r.next(), true, q);
                }
            }
            DatabaseMetaData m = c.getMetaData();
            try (ResultSet r = m.getSchemas()) {
                want(r.next(), true, "schemas");
            }
            try (ResultSet r = m.getPrimaryKeys(null, "default", "by_jdbc")) {
                while (r.next()) { }
            }
            try (ResultSet r = m.getTables(null, "default", "%", new String[] {"TABLE", "VIEW"})) {
                want(r.next(), true, "tables of a kind");
            }
        }
    }

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.setProperty("user", args[1]);
        p.setProperty("password", args[2]);
        String url = "jdbc:clickhouse://" + args[0] + "/default";
        try (Connection c = DriverManager.getConnection(url, p)) {
            DatabaseMetaData m = c.getMetaData();
            want(m.getDatabaseProductName(), "ClickHouse", "product");
            System.out.println("version " + m.getDatabaseProductVersion() + ", driver " + m.getDriverVersion());
            try (Statement s = c.createStatement()) {
                s.execute("DROP TABLE IF EXISTS by_jdbc");
                s.execute("CREATE TABLE by_jdbc (a UInt64, s String, t DateTime64(6, 'UTC'), n Nullable(Int64)) ENGINE = MergeTree ORDER BY a");
            }
            try (PreparedStatement s = c.prepareStatement("INSERT INTO by_jdbc VALUES (?, ?, ?, ?)")) {
                for (int i = 0; i < 3; i++) {
                    s.setLong(1, i);
                    s.setString(2, "it's ü " + i);
                    s.setTimestamp(3, Timestamp.valueOf("2026-11-02 09:00:00"));
                    if (i == 1) s.setNull(4, Types.BIGINT); else s.setLong(4, -i);
                    s.addBatch();
                }
                s.executeBatch();
            }
            try (ResultSet r = m.getTables(null, "default", "by_jdbc", null)) {
                want(r.next(), true, "getTables");
                want(r.getString("TABLE_NAME"), "by_jdbc", "table");
            }
            List<String> columns = new ArrayList<>();
            try (ResultSet r = m.getColumns(null, "default", "by_jdbc", null)) {
                while (r.next()) columns.add(r.getString("COLUMN_NAME") + " " + r.getString("TYPE_NAME"));
            }
            want(columns, "[a UInt64, s String, t DateTime64(6, 'UTC'), n Nullable(Int64)]", "columns");
            try (PreparedStatement s = c.prepareStatement("SELECT a, s, n FROM by_jdbc WHERE a >= ? AND s LIKE ? ORDER BY a")) {
                s.setLong(1, 1);
                s.setString(2, "it's%");
                try (ResultSet r = s.executeQuery()) {
                    want(r.getMetaData().getColumnCount(), 3, "columns of the result");
                    want(r.next(), true, "row 1");
                    want(r.getString(2), "it's ü 1", "text");
                    r.getLong(3);
                    want(r.wasNull(), true, "null");
                    want(r.next() && r.getLong(3) == -2, true, "row 2");
                    want(r.next(), false, "end");
                }
            }
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT sum(number), count() FROM numbers(1000000)")) {
                r.next();
                want(r.getLong(1), 499999500000L, "sum");
            }
            try (Statement s = c.createStatement()) {
                s.executeQuery("SELECT nothing FROM nowhere");
                throw new RuntimeException("a wrong query was answered");
            } catch (SQLException e) {
                want(e.getErrorCode(), 60, "code of an unknown table");
            }
        }
        metabase(url, p);
        Properties analyst = new Properties();
        analyst.setProperty("user", args[3]);
        analyst.setProperty("password", args[4]);
        metabase(url, analyst);
        System.out.println("all of it works");
    }
}
