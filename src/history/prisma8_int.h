/* Internal to history/: Prisma 8's packages. A package is an edge between two contracts; what leads
 * from the contract that the database's marker names to that of the project is what is pending. */
#pragma once

#include "base/jt.h"
#include "history/layout_int.h"

/* One step of an operation: a statement, or a check. */
typedef struct P8Step {
    const char *says;
    Str sql; /* what is sent: with its parameters in it */
} P8Step;

typedef VEC(P8Step) P8StepVec;

typedef struct P8Package P8Package;
typedef struct P8 P8;

typedef struct P8Op {
    const P8Package *package;
    size_t index; /* in its package */
    const char *id, *label;
    bool is_loss;  /* data may go with it */
    bool may_skip; /* when its postchecks hold before it has run */
    P8StepVec before, execute, after;
} P8Op;

struct P8Package {
    const char *space;     /* "app", or an extension's */
    const char *dir;       /* its folder in it */
    const char *from, *to; /* contracts; from NULL = the empty database */
    const char *hash;      /* of the package */
    const char *made_at;   /* as written */
    Str contract; /* the contract that it leads to, as the folder keeps it; p == NULL: not */
    const JsonTree *tree;   /* the same, or as emitted; read when it is pending */
    const char *operations; /* JSON */
    VEC(const char *) invariants;
    VEC(P8Op *) ops;
    const char *snapshot, *snapshot_shown; /* where the folder keeps the contract */
    const P8 *all;
    Migration migration;
};

typedef struct P8Space {
    const char *name;
    const char *target;        /* the contract that it is to be brought to */
    const char *target_path;   /* of the file that says so, for people */
    VEC(const char *) demands; /* invariants that the target wants */
    VEC(P8Package *) packages; /* in the order in which the graph is walked */
} P8Space;

/* All of a folder: History.own. */
struct P8 {
    VEC(P8Space) spaces;     /* extensions by name, then the app's */
    const JsonTree *emitted; /* the app's contract, as emitted; or NULL */
};

/* ---- hashes (prisma8_hash.c) ---------------------------------------------------------------- */

/* Of a package, by migration.json (its own hash left out) and ops.json. */
const char *p8_migration_hash(Arena *a, const JsonTree *manifest, const JsonTree *ops);
/* Of a contract's storage; NULL: it has none. */
const char *p8_storage_hash(Arena *a, const JsonTree *contract);

/* ---- files (prisma8_file.c) ----------------------------------------------------------------- */

/* A file below the folder: where it is, and what people see of it. */
typedef struct P8Place {
    const char *path, *shown;
} P8Place;

P8Place p8_below(Arena *a, P8Place dir, const char *name);
bool p8_is_hash(const char *text); /* 64 hexadecimal digits */

/* errors: ERR_MIGRATION_FILE with the place, ERR_IO */
MUST_CHECK bool p8_read_json(Arena *a, P8Place at, Str *ret_text, JsonTree *ret, Err *err);

/* Add place and hint; and the whole error for a form of before Prisma 8's release candidates. false. */
bool p8_fail(P8Place at, Err *err, const char *hint);
bool p8_refuse_old(P8Place at, Err *err);

/* ---- the folder (prisma8_read.c) ------------------------------------------------------------ */

/* Whether Prisma 8 made what lies here: packages (<stamp>_name/ops.json), contracts by their hash
 * (snapshots/<64 hex>/contract.json), or names for these (refs/<name>.json). */
bool p8_recognise(Arena *a, const char *dir);

/* Read all packages, with their hashes checked, and what the spaces are to be brought to.
 * errors: ERR_MIGRATION_FILE, ERR_NO_MIGRATIONS (only names of contracts), ERR_IO */
MUST_CHECK bool p8_read_folder(Arena *a, const char *dir, const char *shown, P8 *ret, Err *err);

/* ---- contracts (prisma8_target.c) ----------------------------------------------------------- */

/* What a space is to be brought to: the emitted contract, an extension's head, or the one contract from
 * which no package leads on.
 * errors: ERR_MIGRATION_FILE */
MUST_CHECK bool p8_find_target(Arena *a, P8Place root, P8 *all, P8Space *s, Err *err);

/* Read the contract that a pending package leads to. is_needed: it will be compared with the database.
 * errors: ERR_MIGRATION_FILE: needed and not there, or not what its hash says; ERR_IO */
MUST_CHECK bool p8_take_contract(Arena *a, P8Package *p, bool is_needed, Err *err);

/* ---- operations (prisma8_ops.c) ------------------------------------------------------------- */

/* Read a package's operations and make its text, whose statements stand on the lines of the file as
 * far as there is room.
 * errors: ERR_MIGRATION_FILE */
MUST_CHECK bool p8_take_ops(Arena *a, const JsonTree *ops, Str file, P8Package *p, Err *err);

/* HistoryLayout.add_piece: an operation with its checks, as one statement. */
void p8_add_op(Buf *b, const MigrationPiece *piece);

/* What stands in the statement that compares the database with a contract (prisma8_contract.c). */
typedef struct P8Promise {
    Buf *b;     /* the body of the statement */
    Buf tables; /* temporary ones, made as the contract has them */
    Buf pairs;  /* which table is to be as which of them */
    Buf want;   /* what else must be there */
    Buf odd;    /* columns that are not compared in all */
    int made;
    const JsonTree *types;
    const char *policy; /* whose it is, where a table does not say so */
    const char *schema;
} P8Promise;

void p8_want(P8Promise *p, const JsonTree *contract);

/* HistoryLayout.add_promise (prisma8_promise.c): nothing where no contract is known. */
void p8_add_promise(Buf *b, const LedgerRow *row);

/* ---- the graph (prisma8_route.c) ------------------------------------------------------------ */

/* What the database says; all in its own order. */
typedef struct P8Marker {
    const char *space, *contract;
    VEC(const char *) invariants;
} P8Marker;

typedef struct P8Row {
    const char *id, *space, *name, *hash, *from, *to; /* from "" = the empty database */
    int64_t when_us;
} P8Row;

typedef struct P8State {
    VEC(P8Marker) markers;
    VEC(P8Row) rows;
} P8State;

/* Fill h->files and h->rows: what was applied, then what is pending. state: NULL = a database that
 * knows nothing.
 * errors: ERR_DIVERGED: the marker is at a contract that no package knows, or from which none leads to
 * the project's */
MUST_CHECK bool p8_route(Arena *a, const P8State *state, History *h, Err *err);
