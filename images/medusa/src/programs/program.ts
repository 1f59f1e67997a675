import { accessSync, constants, writeFileSync } from "node:fs";
import { explainError } from "./causes";

/** An error whose message is shown to the owner: one line that says what is wrong and what to do. */
export class UserError extends Error {}

const TERMINATION_LOG = "/dev/termination-log";
/** EX_CONFIG of sysexits.h: an error in the step `check`, of the environment or the image, which no retry mends. */
const EXIT_NON_RETRYABLE = 78;
const SECRET = /_(PASSWORD|TOKEN|SECRET|URL)$/;

/**
 * One run of a program. It prints a line of JSON for each step. Success is exit code 0 together with the result as last
 * line; after an error the last line is plain text, and also the termination message.
 */
export class Program {
  private steps: { name: string; ms: number }[] = [];
  private step: { name: string; since: number } | undefined;
  private since = performance.now();

  /** Starts a step, and ends the one before. */
  begin(name: string): void {
    this.end();
    this.step = { name, since: performance.now() };
  }

  /** Leaves the steps until now out of the receipt: they waited for other programs. */
  resetTimer(): void {
    this.end();
    [this.steps, this.since] = [[], performance.now()];
  }

  /** Exits with success. */
  finish(outcome: string): never {
    this.end();
    print(JSON.stringify({ done: outcome, totalMs: millisecondsSince(this.since) }));
    process.exit(0);
  }

  /** Exits with success; the receipt is the last line, and also the termination message. */
  finishWithReceipt(): never {
    this.end();
    const receipt = { simulated: false, totalMs: millisecondsSince(this.since), steps: this.steps };
    writeTerminationMessage(JSON.stringify(receipt));
    print(JSON.stringify(receipt));
    process.exit(0);
  }

  fail(error: unknown): never {
    if (!(error instanceof UserError) && error instanceof Error) {
      process.stderr.write(`${redactSecrets(error.stack ?? "")}\n`);
    }
    reportCause(explainFailure(error, this.step?.name ?? "start"));
    process.exit(this.step?.name === "check" ? EXIT_NON_RETRYABLE : 1);
  }

  private end(): void {
    if (this.step === undefined) return;
    const done = { name: this.step.name, ms: millisecondsSince(this.step.since) };
    this.steps.push(done);
    print(JSON.stringify({ step: done.name, ms: done.ms }));
    this.step = undefined;
  }
}

/** Runs a program to its end. */
export async function run(main: (program: Program) => Promise<never>): Promise<never> {
  const program = new Program();
  // the first process of a container ignores signals that it has no handler for
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(143));
  try {
    return await main(program);
  } catch (error) {
    return program.fail(error);
  }
}

function explainFailure(error: unknown, step: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof UserError ? message : (explainError(error) ?? `The step ${step} failed: ${message}`);
}

/** Prints one line without secrets, which is also the termination message. It must not have a visitor's words. */
export function reportCause(cause: string): void {
  const line = redactSecrets(cause).replace(/[\s\p{C}]+/gu, " ").trim().slice(0, 500);
  writeTerminationMessage(line);
  print(line);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function millisecondsSince(since: number): number {
  return Math.round(performance.now() - since);
}

function writeTerminationMessage(line: string): void {
  try {
    accessSync(TERMINATION_LOG, constants.W_OK);
  } catch {
    return; // outside of Kubernetes
  }
  writeFileSync(TERMINATION_LOG, line);
}

function redactSecrets(text: string): string {
  const secrets = Object.entries(process.env).filter(([name, value]) => SECRET.test(name) && (value ?? "").length >= 6);
  return secrets.reduce((redacted, [, value]) => redacted.replaceAll(value as string, "…"), text);
}
