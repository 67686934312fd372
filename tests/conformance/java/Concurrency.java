// JDBC against one endpoint: many connections at once, prepared statements, transactions, a cancel and a statement
// timeout. Prints "ok" when every answer was the right one. Arguments: JDBC URL, user, password.
import java.sql.*;
import java.util.*;
import java.util.concurrent.*;

public class Concurrency {
  static final int CONNECTIONS = 16;
  static final int QUERIES = 60;

  public static void main(String[] args) throws Exception {
    Properties login = new Properties();
    login.setProperty("user", args[1]);
    login.setProperty("password", args[2]);
    ExecutorService pool = Executors.newFixedThreadPool(CONNECTIONS);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      final int number = i;
      all.add(pool.submit(() -> { work(args[0], login, number); return null; }));
    }
    for (Future<?> each : all) each.get(120, TimeUnit.SECONDS);
    pool.shutdown();
    cancel(args[0], login);
    System.out.println("ok");
  }

  static void work(String url, Properties login, int number) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url, login)) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("create temporary table mine (id int primary key, text text)");
      }
      // Past prepareThreshold (5) the driver uses a named statement on the server.
      try (PreparedStatement insert = connection.prepareStatement("insert into mine values (?, repeat(?, 100))");
           PreparedStatement select = connection.prepareStatement("select id * 1000 + ?, text from mine where id = ?")) {
        for (int i = 0; i < QUERIES; i++) {
          insert.setInt(1, i);
          insert.setString(2, "x" + number);
          insert.executeUpdate();
          select.setInt(1, number);
          select.setInt(2, i);
          try (ResultSet rows = select.executeQuery()) {
            rows.next();
            if (rows.getInt(1) != i * 1000 + number || !rows.getString(2).startsWith("x" + number))
              throw new SQLException("wrong answer for " + number + "/" + i);
          }
          if (i % 10 == 9) connection.commit();
        }
      }
    }
  }

  static void cancel(String url, Properties login) throws Exception {
    try (Connection connection = DriverManager.getConnection(url, login);
         Statement statement = connection.createStatement()) {
      new Timer(true).schedule(new TimerTask() {
        public void run() {
          try { statement.cancel(); } catch (SQLException ignored) { }
        }
      }, 300);
      try {
        statement.execute("select pg_sleep(30)");
        throw new IllegalStateException("the query was not cancelled");
      } catch (SQLException expected) {
        if (!"57014".equals(expected.getSQLState())) throw expected;
      }
    }
  }
}
