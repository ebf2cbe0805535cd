// Connects as the environment says, and prints the login's mechanism and the user's name.
import pg from "pg";

const uri = new URL(process.env.URI);
uri.searchParams.set("sslmode", "verify-full");
uri.searchParams.set("sslrootcert", process.env.CA_FILE);
const client = new pg.Client({ connectionString: uri.href, enableChannelBinding: true });

let mechanism;
const send = client.connection.sendSASLInitialResponseMessage;
client.connection.sendSASLInitialResponseMessage = function (chosen, first) {
  mechanism = chosen;
  send.call(this, chosen, first);
};
await client.connect();
const { rows } = await client.query("SELECT current_user AS name");
console.log(mechanism, rows[0].name);
await client.end();
