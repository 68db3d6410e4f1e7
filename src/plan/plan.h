/* The plan of a deploy: pending migrations cut into steps.
 *
 * A step is what one transaction (or one statement outside of any) holds. Most migrations are one
 * step: one message with the ledger's row in it. A file is cut only at its own COMMITs, around
 * statements that the server refuses inside a transaction, and where an earlier try showed that it
 * must be cut. Statements are numbered by their place in the file, so that a plan made again after
 * an interruption goes on behind the last statement that is known to have run.
 *
 * Pure: no I/O, no server. */
#pragma once

#include "history/history.h"
#include "sqltext/sqltext.h"

typedef enum StepMode {
    STEP_TX,     /* statements in one implicit transaction */
    STEP_OWN_TX, /* the same, ended by the file's own COMMIT */
    STEP_ALONE,  /* one statement outside of any transaction */
    STEP_BATCH,  /* one statement in many transactions, by a key: "-- aramid:batch" */
    STEP_PROVE,  /* one query whose answer decides whether it goes on: "-- aramid:prove" */
} StepMode;

typedef struct StepLock {
    SqlName rel;
    SqlLockMode mode;
    bool can_prelock; /* LOCK TABLE may be tried: a table that no earlier step made or renamed */
    bool is_new;      /* an earlier migration of this plan creates it */
} StepLock;

typedef struct Step {
    size_t first, count; /* statements of the script; count 0 only for an empty file */
    size_t off, end;     /* their bytes; without the COMMIT that ends a STEP_OWN_TX */
    const SqlStmt *only; /* where count is 1 */
    int change_line;     /* of its first statement that changes rows, 0 = none */
    bool sets_isolation; /* of its transaction: that must come before the first query */
    StepMode mode;
    const SqlBatch *batch; /* STEP_BATCH; else NULL */
    const char *why;       /* for STEP_ALONE and forced cuts: the reason, for people */
    size_t begin;          /* STEP_OWN_TX: index of its BEGIN, SIZE_MAX when the file has none */
    const char
        *chained; /* begins with "BEGIN <these words>" because of COMMIT AND CHAIN, or NULL */
    VEC(StepLock) locks; /* strongest mode for each relation, in order of the file */
    bool has_strong;     /* takes SHARE or stronger on something that exists */
    bool drops;          /* something, whose name stands in no lock */
    bool has_dml;        /* changes rows, or runs code that may */
    bool runs_code;      /* SELECT, DO, CALL: which can do anything */
    bool hides_session;  /* changes settings or the role, or runs code that may */
    bool hides_locks;    /* what it locks is not known: code, or syntax that nobody here reads */
} Step;

typedef VEC(Step) StepVec;

/* A relation that a migration makes, drops or renames. */
typedef struct Touched {
    const char *name;
    bool is_made;
} Touched;

/* Which transactions a run makes. */
typedef enum PlanTx {
    PLAN_TX_FILE, /* one for each migration, where its statements allow it */
    PLAN_TX_NONE, /* one for each statement, with a row of the journal */
    PLAN_TX_ALL,  /* one for all of them */
} PlanTx;

typedef struct MigrationPlan MigrationPlan;

/* One of several migrations that are run as one. */
typedef struct PlanPart {
    const MigrationPlan *of;
    size_t off, first; /* where its text, and its statements, begin in the whole */
} PlanPart;

/* A statement that makes a table (`made`), or after which what was in something is gone. */
typedef struct PlanDrop {
    size_t statement;
    int line;
    const char *tag, *what; /* "table", "column", "schema"; NULL = all that hangs on it */
    SqlName name;
    const char *sub;
    bool made;
} PlanDrop;

/* Of a file whose text is not kept the script is not either: what a run needs of it is in the steps,
 * and plan_script reads it again. */
struct MigrationPlan {
    const Migration *migration; /* whose text is run; of a way back one that is in no folder */
    const Migration *undoes;    /* that of the history which it rolls back, or NULL */
    const char *checksum;       /* of that, as the ledger has it */
    bool lacks_row;    /* of that, which was begun: the ledger has none, only the journal */
    SqlScript script;  /* text.p == NULL: not kept */
    size_t statements; /* of the file */
    bool has_opaque;
    VEC(Touched) touched;
    VEC(PlanDrop) drops; /* in their order */
    SqlDirectiveVec directives;
    VEC(PlanPart) parts; /* of plan_join; else none */
    StepVec steps;
    bool resumes; /* steps begin behind `done_statements` */
    size_t done_statements;
    const char *ledger_id; /* of the row that is resumed, NULL */
};

/* For a session whose standard_conforming_strings is off: the file must mean the same with it on.
 * errors: ERR_MIGRATION_FILE with the place of a backslash, those of plan_script */
MUST_CHECK bool plan_check_strings(const MigrationPlan *mp, Err *err);
/* The same behind a SET that turns it off; asked by plan_migration. */
MUST_CHECK bool plan_check_set_strings(const MigrationPlan *mp, const SqlScript *script, Err *err);

/* What earlier tries and the journal know about one migration; zero for a fresh one. */
typedef struct PlanHints {
    size_t start;          /* first statement that has not run */
    VEC(size_t) alone;     /* statements that failed inside a transaction (25001, 2D000) */
    VEC(size_t) cut_after; /* enum values that a later statement uses (55P04) */
    bool fresh; /* the database holds no tables: what the statements lock does not matter */
    const char *chained; /* the done part ended with COMMIT AND CHAIN: words of its BEGIN */
    PlanTx tx;           /* what was asked for; a directive of the file is stronger */
} PlanHints;

/* Split and classify the file and cut it into steps.
 * errors: ERR_MIGRATION_FILE with file:line:column: what sql_split and sql_directives refuse, ROLLBACK,
 * PREPARE TRANSACTION, a BEGIN that stays open, a statement that needs no transaction inside the file's
 * own BEGIN ... COMMIT, or one with a directive; what sql_batch refuses; with PLAN_TX_NONE a SET, which would end with its own statement. */
MUST_CHECK bool plan_migration(Arena *a, const Migration *m, const PlanHints *hints,
                               MigrationPlan *ret, Err *err);

/* The script of a plan; `a` owns it where it was not kept. brief: without what statements lock and make.
 * errors: those of migration_text */
MUST_CHECK bool plan_script(Arena *a, const MigrationPlan *mp, bool brief, SqlScript *ret,
                            Err *err);

/* Add bytes of the script's text to a message; to == SIZE_MAX: up to its end. Of a text that is not kept
 * no other copy is made. errors: those of migration_text */
MUST_CHECK bool plan_add_text(Buf *b, const MigrationPlan *mp, size_t from, size_t to, Err *err);

/* Cut it again. Used when a try showed that it must be cut differently.
 * errors: those of plan_migration */
MUST_CHECK bool plan_cut(Arena *a, const PlanHints *hints, MigrationPlan *mp, Err *err);

/* Whether it is one message, with its row in the ledger, and leaves nothing in the journal. */
bool plan_is_one_message(const MigrationPlan *mp);
/* Whether it may stand with others in one message, each its own transaction: one message that sets nothing,
 * hides nothing and has no wishes of its own. A server that finds a syntax error runs none of them. */
bool plan_may_share(const MigrationPlan *mp);
/* Whether a step of it runs in batches. */
bool plan_has_batch(const MigrationPlan *mp);

/* Its statement_timeout and lock_timeout in milliseconds, by directive; -1 = not said. */
int64_t plan_timeout_ms(const MigrationPlan *mp);
int64_t plan_lock_timeout_ms(const MigrationPlan *mp);

/* A statement after which rows or values are gone that were there before the plan. */
typedef struct PlanLoss {
    const MigrationPlan *mp;
    size_t statement;
    int line;
    const char *what; /* "table users", "column users.name" */
    const PlanDrop *drop;
} PlanLoss;
typedef VEC(PlanLoss) PlanLosses;

typedef struct Plan {
    VEC(MigrationPlan) migrations; /* in order */
    size_t statements;
    FindingList findings; /* about the migrations (plan_link); judged by run/ */
    PlanLosses losses;    /* as far as the statements' words tell (plan_link) */
    MigrationPlan *whole; /* all of them as one migration of one transaction (plan_join); or NULL */
} Plan;

/* Mark what the plan's migrations create, drop and rename, so that locks know which relations
 * exist before, and find what a person should know about them. Call once after all migrations were added. */
void plan_link(Arena *a, Plan *plan);

/* Fill plan->whole: one step, in which all migrations stand one after the other. After plan_link.
 * errors: ERR_MIGRATION_FILE with place: a migration that is not one transaction, is half applied, says
 * itself how it is to be cut, or sets what would hold for those behind it; those of plan_script */
MUST_CHECK bool plan_join(Arena *a, Plan *plan, Err *err);

/* Whether it is one transaction, as it was cut.
 * errors: ERR_MIGRATION_FILE with the place of what needs another one */
MUST_CHECK bool plan_check_one_tx(const MigrationPlan *mp, Err *err);

/* The migration that a statement belongs to: mp itself, or one of its parts. */
const MigrationPlan *plan_of_statement(const MigrationPlan *mp, size_t statement,
                                       size_t *ret_statement);

/* Statement `failed` of the step's transaction failed with this SQLSTATE: whether another cut of the
 * file avoids that (25001, 2D000, 55P04), with the cut added to the hints. */
bool plan_learn(Arena *a, const MigrationPlan *mp, const Step *step, size_t failed,
                const char *sqlstate, PlanHints *hints);

/* Names of step modes for JSON and people: "transaction", "own-transaction", "alone", "batch", "prove". */
const char *plan_mode_name(StepMode mode);

/* Where a statement stands: file, line and column, as far as the file can be read. */
void plan_place(const MigrationPlan *mp, size_t statement, Err *err);

/* Add the line of the file at err->at to its detail, with a caret. */
void plan_quote_line(const MigrationPlan *mp, Err *err);
