// What `nest-gateway contract` writes, judged by the official tools. The files
// are snapshots that the tests of the CLI keep equal to what it writes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { program } from "../support/program.mjs";

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const written = fileURLToPath(new URL("../../crates/cli/tests/snapshots/", import.meta.url));

/** What `nest-gateway contract` writes for the fixture gateway, which uses everything there is. */
async function contractOfFixture(form) {
  const options = ["contract", form, "--program", program("fixture-gateway")];
  const { stdout } = await promisify(execFile)(program("nest-gateway"), options, { maxBuffer: 1 << 24 });
  return stdout;
}

/** Runs the TypeScript compiler in its strictest form over files and returns what it says. */
async function typeCheck(t, files) {
  const folder = await mkdtemp(path.join(tmpdir(), "contract-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  await symlink(path.join(here, "node_modules"), path.join(folder, "node_modules"));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    noUnusedLocals: true,
    exactOptionalPropertyTypes: true,
    target: "es2022",
    lib: ["es2022", "dom"],
    module: "esnext",
    moduleResolution: "bundler",
    types: [],
  };
  await writeFile(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const compiler = require.resolve("typescript/bin/tsc");
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", folder]);
    return "";
  } catch (error) {
    return error.stdout || String(error);
  }
}

/** What the official schema says against a document; nothing when it is valid. */
async function problems(document) {
  const { default: Ajv } = await import("ajv");
  const { default: addFormats } = await import("ajv-formats");
  const schema = require(`@asyncapi/specs/schemas/${document.asyncapi}-without-$id.json`);
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats(ajv);
  return ajv.validate(schema, document) ? "" : ajv.errorsText(ajv.errors, { separator: "\n" });
}

test("the TypeScript compiles strictly and fits the types of socket.io-client", async (t) => {
  const files = {
    "contract.ts": await readFile(path.join(written, "contract.ts"), "utf8"),
    "usage.ts": await readFile(path.join(here, "contract.usage.ts"), "utf8"),
  };
  assert.equal(await typeCheck(t, files), "");
});

test("the AsyncAPI document is valid by the official schema", async () => {
  assert.equal(await problems(JSON.parse(await readFile(path.join(written, "asyncapi.json"), "utf8"))), "");
});

test("the official schema finds what is wrong", async () => {
  const document = JSON.parse(await readFile(path.join(written, "asyncapi.json"), "utf8"));
  Object.values(document.operations)[0].action = "shout";
  assert.match(await problems(document), /action/);
});

test("the contract of an application that uses every feature is valid too", async (t) => {
  const document = JSON.parse(await contractOfFixture("--asyncapi"));
  assert.ok(Object.keys(document.operations).length > 30, "the fixture has many events");
  assert.equal(await problems(document), "");
  const contract = await contractOfFixture("--ts");
  const usage = `
    import { io, type Socket } from "socket.io-client";
    import { connectRoot, type RootClientToServerEvents, type RootServerToClientEvents } from "./contract";
    const socket: Socket<RootServerToClientEvents, RootClientToServerEvents> = io("/");
    socket.on("exception", (exception) => console.log(exception.message));
    const client = await connectRoot("ws://localhost:3000/");
    client.on("exception", (exception) => console.log(exception.message));
    export {};
  `;
  assert.equal(await typeCheck(t, { "contract.ts": contract, "usage.ts": usage }), "");
});
