// What `nest-gateway contract` writes, judged by the official tools. The files
// are snapshots that the tests of the CLI keep equal to what it writes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const written = fileURLToPath(new URL("../../crates/cli/tests/snapshots/", import.meta.url));

/** Runs the TypeScript compiler in its strictest form and returns what it says. */
async function typeCheck(t, usage) {
  const folder = await mkdtemp(path.join(tmpdir(), "contract-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(path.join(written, "contract.ts"), path.join(folder, "contract.ts"));
  await cp(path.join(here, usage), path.join(folder, "usage.ts"));
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

test("the TypeScript compiles strictly and fits the types of socket.io-client", async (t) => {
  assert.equal(await typeCheck(t, "contract.usage.ts"), "");
});

test("the AsyncAPI document is valid by the official schema", async () => {
  const document = JSON.parse(await readFile(path.join(written, "asyncapi.json"), "utf8"));
  const { default: Ajv } = await import("ajv");
  const { default: addFormats } = await import("ajv-formats");
  const schema = require(`@asyncapi/specs/schemas/${document.asyncapi}-without-$id.json`);
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats(ajv);
  const valid = ajv.validate(schema, document);
  assert.ok(valid, ajv.errorsText(ajv.errors, { separator: "\n" }));
});
