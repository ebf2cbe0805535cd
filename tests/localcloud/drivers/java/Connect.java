import java.net.URI;
import java.sql.DriverManager;
import java.util.Properties;

/** Connects as the environment says, and prints the login's mechanism and the user's name. */
public class Connect {
    public static void main(String[] arguments) throws Exception {
        var uri = URI.create(System.getenv("URI"));
        var login = uri.getUserInfo().split(":", 2);
        var options = new Properties();
        options.setProperty("user", login[0]);
        options.setProperty("password", login[1]);
        options.setProperty("sslmode", "verify-full");
        options.setProperty("sslrootcert", System.getenv("CA_FILE"));
        options.setProperty("channelBinding", "require");
        try (var connection =
                        DriverManager.getConnection(
                                "jdbc:postgresql://" + uri.getHost() + uri.getPath(), options);
                var rows = connection.createStatement().executeQuery("SELECT current_user")) {
            rows.next();
            // The driver gives up where it cannot have what `require` asks for.
            System.out.println("SCRAM-SHA-256-PLUS " + rows.getString(1));
        }
    }
}
