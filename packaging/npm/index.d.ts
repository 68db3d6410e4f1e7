/** The version of this package and of its program. */
export const version: string;

/** The program's path. Throws with what to do where there is none for this machine. */
export function find(): string;

export interface RunOptions {
    /** The project's folder. */
    cwd?: string;
    /** Variables beside those of this process. */
    env?: Record<string, string>;
    /** Ends the program; the next deploy goes on where it was. */
    signal?: AbortSignal;
}

export interface RunResult {
    /** The exit status: docs/reference/errors.md. 128 + n: ended by signal n. */
    status: number;
    /** What the command answered to --json; its form is in docs/schema. */
    json?: unknown;
}

/** Run a command, `run(["deploy", "--yes", "--json"])`. Rejects only where it cannot be started. */
export function run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
