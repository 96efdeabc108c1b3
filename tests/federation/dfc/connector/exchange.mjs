// Reads a document from standard input with the official connector, and writes what it exports again of all it read.
// Ends with 0 where it was read, 2 where it was refused; any other end is a crash. Nothing is fetched.
import { readFileSync } from "node:fs";
import { Connector } from "@datafoodconsortium/connector";

globalThis.fetch = (url) => {
  throw new Error(`tried to fetch ${url}`);
};

const connector = new Connector();
try {
  const objects = await connector.import(readFileSync(0, "utf8"));
  const read = objects.map((one) => [one.getSemanticId(), one.getSemanticType()]);
  const exported = await connector.export(objects);
  process.stdout.write(JSON.stringify({ read, exported: JSON.parse(exported) }));
} catch (error) {
  process.stderr.write(String(error));
  process.exitCode = 2;
}
