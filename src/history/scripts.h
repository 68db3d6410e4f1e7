/* Scripts that are run beside the migrations, under the same protocol: seeds, what `execute` is given.
 * Together they are a history of its own, whose ledger is Aramid's table of scripts: one row for each
 * kind and name, with the text that was run last. */
#pragma once

#include "history/history.h"

#define SCRIPT_SEED "seed"
#define SCRIPT_EXECUTED "execute"
#define SCRIPT_RESET "reset"
#define SCRIPT_PUSHED "push"

typedef struct Script {
    const char *kind;   /* SCRIPT_... */
    const char *run_id; /* of this run */
    bool again;         /* to be run whatever was run before; else once for each text */
} Script;

/* A history without files. */
History scripts_new(Arena *a);
/* The same on the Supabase CLI's own table of seeds, which has each file's path with its
 * hash, and no place for Script.again. */
History scripts_new_supabase(Arena *a);

/* Add a script at the end. Its name, as people see it, is what the table knows it by.
 *
 * text    NUL-terminated; kept
 * path    the file's real path, kept; shown: as people see it
 * errors  ERR_IO */
void scripts_add_text(Arena *a, History *h, const Script *s, const char *name, Str text);
MUST_CHECK bool scripts_add_file(Arena *a, History *h, const Script *s, const char *path,
                                 const char *shown, Err *err);
