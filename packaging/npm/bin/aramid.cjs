#!/bin/sh
':' //; # Two read this file. The shell becomes the program of the platform's package in a few milliseconds.
':' //; # Node.js, which takes eighty, reads it where there is none, and where a package manager has it so.
':' //; self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
':' //; machine=$(uname -sm) names=
':' //; [ "$machine" != "Linux x86_64" ] || { names="linux-x64-musl linux-x64" loader=/lib64/ld-linux-x86-64.so.2; }
':' //; [ "$machine" != "Linux aarch64" ] || { names=linux-arm64 loader=/lib/ld-linux-aarch64.so.1; }
':' //; has_glibc() { # 2.34 or newer: until then the file's name had the version
':' //;     [ -e "$loader" ] || return 1
':' //;     for old in /lib/*/libc-2.*.so /lib64/libc-2.*.so; do [ ! -e "$old" ] || return 1; done
':' //; }
':' //; for name in $names; do dir=${self%/bin/*}; while [ -n "$dir" ]; do
':' //;     program=$dir/node_modules/@aramid/$name/bin/aramid dir=${dir%/*}
':' //;     [ -x "$program" ] || continue
':' //;     case $name in *-musl) exec "$program" "$@" ;; *) has_glibc && exec "$program" "$@" ;; esac
':' //; done; done
':' //; exec node "$self" "$@"

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { find } = require("../index.cjs");

function fail(text) {
    console.error(`aramid: ${text}`);
    process.exit(7); // tool-missing
}

let program;
try {
    program = find();
} catch (error) {
    fail(error.message);
}
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
child.on("error", (error) => fail(`${program} cannot be started: ${error.message}`));
child.on("exit", (status, signal) => process.exit(signal ? 128 + constants.signals[signal] : status));
