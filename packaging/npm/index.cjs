// The program for scripts in JavaScript. Everything that happens to a database happens in it.
"use strict";

const { spawn } = require("node:child_process");

const { version } = require("./package.json");
const ELSEWHERE = "Use the container image, or build the program: README.md of this package";

// The packages of this machine, the one that runs everywhere first.
function packages() {
    if (process.platform !== "linux")
        throw new Error(
            `there is no program for ${process.platform} (${process.arch}), only for Linux. ` +
                (process.platform === "win32" ? "On Windows it runs in WSL. " : "") + ELSEWHERE);
    if (process.arch === "x64") return ["@aramid/linux-x64-musl", "@aramid/linux-x64"];
    if (process.arch === "arm64") return ["@aramid/linux-arm64"];
    throw new Error(`there is no program for Linux on ${process.arch}, only for x64 and arm64. ${ELSEWHERE}`);
}

// Whether libc is glibc 2.34 or newer, which all packages but -musl need.
function hasGlibc() {
    const { glibcVersionRuntime } = process.report.getReport().header;
    if (!glibcVersionRuntime) return false;
    const [major, minor] = glibcVersionRuntime.split(".").map(Number);
    return major > 2 || (major === 2 && minor >= 34);
}

/** The program's path. Throws with what to do where there is none. */
function find() {
    const names = packages();
    let unfit = null;
    for (const name of names) {
        let program;
        try {
            program = require.resolve(`${name}/bin/aramid`);
        } catch {
            continue;
        }
        if (name.endsWith("-musl") || hasGlibc()) return program;
        unfit = name;
    }
    if (unfit && names.length > 1)
        throw new Error(
            `${unfit} needs glibc 2.34 or newer, which this machine does not have. ` +
                `Install the one that needs none: npm install --no-save --force @aramid/linux-x64-musl@${version}`);
    if (unfit) throw new Error(`${unfit} needs glibc 2.34 or newer, which this machine does not have. ${ELSEWHERE}`);
    throw new Error(
        `the package ${names[names.length - 1]} with the program is not installed. Either optional dependencies were left ` +
            "out (npm --omit=optional), or node_modules or the lock file come from another platform. " +
            "Install again: npm install --include=optional");
}

/**
 * Run a command. What it says goes to the terminal, but for --json, whose value is returned.
 * Resolves to { status, json }, whatever the status is; rejects where the program cannot be started.
 */
function run(args, { cwd, env, signal } = {}) {
    const wantsJson = args.includes("--json");
    return new Promise((resolve, reject) => {
        const child = spawn(find(), args, {
            cwd, signal, env: { ...process.env, ...env },
            stdio: ["inherit", wantsJson ? "pipe" : "inherit", "inherit"],
        });
        const chunks = [];
        if (wantsJson) child.stdout.on("data", (chunk) => chunks.push(chunk));
        child.on("error", reject);
        child.on("close", (status, killedBy) => {
            const text = Buffer.concat(chunks).toString("utf8");
            let json;
            try {
                json = text ? JSON.parse(text) : undefined;
            } catch {
                return reject(new Error(`aramid ${args[0]} did not answer in JSON`));
            }
            resolve({ status: killedBy ? 128 + require("node:os").constants.signals[killedBy] : status, json });
        });
    });
}

module.exports = { find, run, version };
