/* Internal to run/: a statement that runs in batches. */
#pragma once

#include "run/step.h"

typedef struct BatchColumn {
    const char *name;   /* as it is stored */
    const char *quoted; /* for SQL */
    const char *type;   /* for a cast, in the user's search_path */
} BatchColumn;

typedef struct BatchKey {
    long long relation; /* oid; 0: there is no such table */
    const char *table;  /* for SQL, with its schema */
    VEC(BatchColumn) columns;
    int64_t rows; /* of the table, as its statistics have it; 0 = not known */
} BatchKey;

/* Find it: the columns that the directive names, else the primary key, else the smallest unique index.
 * errors: ERR_NO_KEY with the place of the directive; those of db_query
 * cost: two round trips */
MUST_CHECK bool batch_key(Run *r, Arena *a, const MigrationPlan *mp, const Step *s, BatchKey *ret,
                          Err *err);

enum { BATCH_ROWS_MAX = 100000 };

/* A place in the key's order: one text for each column; NULL = before all rows. */
typedef const char *const *BatchPlace;

typedef struct Batches {
    Try *t;
    Arena *arena; /* of the whole step */
    BatchKey key;
    const SqlBatch *what;
    Str statement;
    BatchPlace last; /* up to this one rows are done */
    BatchPlace end;  /* the last row that was there when it began; NULL = there was none */
    BatchPlace next; /* of the batch under way */
    Arena *memory;   /* where places are; the other one has the older */
    Arena *old;
    bool is_final; /* the batch under way reaches the end */
    int64_t size, rows, began_rows;
    int64_t began_ms, told_ms, looked_ms, blocked_since_ms, blocked_told_ms;
    int failures;      /* of the batch under way */
    bool no_timeout;   /* one row takes longer than a batch may */
    long long waiting; /* sessions that waited for its rows */
} Batches;

/* ---- places (batch_place.c) -------------------------------------------------------------------- */

/* A condition: behind `from` (NULL: from the beginning), up to `to`. */
void batch_add_range(const Batches *b, Buf *out, const char *qualifier, BatchPlace from,
                     BatchPlace to);
/* An array of texts, or NULL. */
void batch_add_array(const Batches *b, Buf *out, BatchPlace at);
const char *batch_place_text(const Batches *b, Arena *a, BatchPlace at); /* for people */

/* Fill b->end: those rows that come later are not its. And b->next: where the batch ends that is next. */
MUST_CHECK bool batch_find_end(Batches *b, Err *err);
MUST_CHECK bool batch_find_next(Batches *b, Err *err);
bool batch_is_reached(const Batches *b);

/* ---- how far it has come (batch_begin.c) --------------------------------------------------------- */

/* The note of it, as a WHERE. */
void batch_add_where(const Batches *b, Buf *out);
MUST_CHECK bool batch_begin(Batches *b, Err *err);
/* errors: ERR_DIVERGED: another table or key than those with which it began */
MUST_CHECK bool batch_resume(Batches *b, Err *err);

/* ---- waiting (batch_wait.c) ---------------------------------------------------------------------- */

/* Looks now and then. errors: ERR_LAG, ERR_INTERRUPTED, those of db_query */
MUST_CHECK bool batch_hold_back(Batches *b, Err *err);
void batch_tell_blocked(Batches *b, const char *why); /* not too often */
bool batch_interrupted(Err *err);                     /* returns false */
