// Starts a program of the workspace on a free port and ends it again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";

const START_LIMIT = 20_000;
const STOP_LIMIT = 20_000;

/** `cargo xtask test` says where the programs are; by hand, it is a debug build. */
const programs =
  process.env.NEST_GATEWAY_PROGRAMS ?? fileURLToPath(new URL("../../target/debug", import.meta.url));

/** The file of a program, such as `fixture-gateway` or `examples/chat`. */
export const program = (name) => path.join(programs, name);

/** A running server, ready for connections. */
export class Program {
  #child;
  #exited;
  #stderr = "";

  /** Starts `name` (such as `fixture-gateway` or `examples/chat`) and waits until it listens. */
  static async start(name, ...args) {
    const started = new Program(name, ["--port", "0", ...args]);
    await started.#listening(name);
    return started;
  }

  constructor(name, args) {
    this.#child = spawn(program(name), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#exited = once(this.#child, "exit");
    this.#exited.catch(() => {}); // a program that cannot start is reported by #listening
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(-20_000);
    });
  }

  async #listening(name) {
    let stdout = "";
    await new Promise((resolve, reject) => {
      const fail = (why) => {
        clearTimeout(timer);
        reject(new Error(`${name} ${why}\n${stdout}${this.#stderr}`));
      };
      const timer = setTimeout(() => fail("did not say in time where it listens"), START_LIMIT);
      this.#exited.then(
        ([code]) => fail(`ended with code ${code}`),
        (error) => fail(error.message),
      );
      this.#child.stdout.setEncoding("utf8").on("data", (text) => {
        stdout = (stdout + text).slice(-20_000);
        const port = /http:\/\/[\w.]+:(\d+)/.exec(stdout)?.[1];
        if (port === undefined) return;
        clearTimeout(timer);
        this.port = Number(port);
        resolve();
      });
    });
    this.http = `http://127.0.0.1:${this.port}`;
    this.ws = `ws://127.0.0.1:${this.port}`;
  }

  /** The log of a fixture server since the last call. */
  async log() {
    const response = await fetch(`${this.http}/log`);
    return response.json();
  }

  /** Asks until the log has a line that starts like this; lines are kept between calls. */
  async logged(start, limit = 5000) {
    this.lines ??= [];
    const end = Date.now() + limit;
    while (Date.now() < end) {
      this.lines.push(...(await this.log()));
      const line = this.lines.find((line) => line.startsWith(start));
      if (line !== undefined) return line;
    }
    throw new Error(`no log line starts with "${start}"; the log is\n${this.lines.join("\n")}`);
  }

  /** Ends it as a service manager would and returns its exit code. */
  async stop() {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT);
    const [code] = await this.#exited;
    clearTimeout(timer);
    return code;
  }
}
