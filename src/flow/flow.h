/* The use cases. Each is a short composition of the rooms below and returns one result struct, which
 * report/ prints. Nothing here prints or asks; approval comes through a callback. */
#pragma once

#include "expand/expand.h"
#include "bridge/pull.h"
#include "history/known.h"
#include "run/run.h"
#include "shadow/cluster.h"

/* The database that a command works on. */
typedef struct Target {
    DbUrl url;
    const char *shown;  /* the URL without secrets, NULL when absent */
    const char *origin; /* where it comes from */
    bool embedded;      /* the project's own cluster, started on demand */
    bool absent;        /* that cluster was not made yet: there is nothing to connect to */
    ClusterInfo cluster;
} Target;

/* Whether a command may make the embedded cluster. A stopped one is started by all. */
typedef enum FlowMake { FLOW_MAKES_NOTHING, FLOW_MAKES_CLUSTER } FlowMake;

/* Choose it: a URL from the command line, else DIRECT_URL, else the URL, else the embedded
 * PostgreSQL; that one only where it can be meant: never for production and staging, in a pipeline
 * (CI) only with a named environment, never for a variable that is set to nothing or a URL that cannot
 * be read. Its own URL, written out, starts it, too. What may change the database (FLOW_MAKES_CLUSTER)
 * is refused where two sources name different ones.
 * errors: ERR_URL, ERR_CONFIG, those of cluster_ensure and cluster_inspect. */
MUST_CHECK bool flow_target(Arena *a, const Config *c, const char *self_exe, FlowMake make,
                            Target *ret, Err *err);

/* The variable that the URL is to be given in: the one that the project's files name. */
const char *flow_url_variable(const Config *c);
/* Whether one database is meant: false with ERR_CONFIG where two sources name different ones
 * (Config.other_url). shown  the one in use */
MUST_CHECK bool flow_target_decided(const Config *c, const char *shown, Err *err);

/* The project's cluster as the configuration wants it. */
void flow_cluster_options(const Config *c, const char *self_exe, ClusterOptions *ret);

/* Its URL, as psql, Prisma and Aramid understand it. */
const char *flow_cluster_url(Arena *a, const ClusterInfo *info);

/* What the settings say about a folder, but for whose it is. */
HistoryOptions flow_history_options(Arena *a, const Config *c, const char *dir);

/* Read the migrations of the folder that a person has typed, or of several with commas as one history.
 * What the settings say of one of them holds.
 * errors  ERR_CONFIG, those of history_open and history_join */
MUST_CHECK bool flow_histories_named(Arena *a, const Config *c, const char *path, History *ret,
                                     Err *err);

/* For what goes back: several histories are refused. errors: ERR_USAGE */
MUST_CHECK bool flow_history_is_one(const History *h, Err *err);

/* Read the project's migrations, and its repeatable scripts with them; a second folder that the settings do not
 * name is told. */
MUST_CHECK bool flow_history(Arena *a, const Config *c, History *ret, Err *err);
/* The same for commands that need no text but that of what is pending: files that are as they were when they
 * were read last are not read (base/filestate.h). */
MUST_CHECK bool flow_history_remembered(Arena *a, const Config *c, History *ret, Err *err);

/* Folders below the project that hold migrations of their own, and that the settings do not name: those
 * that can be deployed in one run with others. */
HistoryFolderVec flow_history_others(Arena *a, const Config *c);

/* flow_history for who writes a new migration: a folder may not be there yet.
 * errors: those of flow_history, history_begin */
MUST_CHECK bool flow_history_begun(Arena *a, const Config *c, History *ret, Err *err);
/* The same without scripts: for what makes, renames, records and takes back migrations. */
MUST_CHECK bool flow_versions(Arena *a, const Config *c, History *ret, Err *err);

/* The same for what works without a migrations folder, too: then a history without files. errors: ERR_INTERRUPTED */
MUST_CHECK bool flow_history_if_any(Arena *a, const Config *c, History *ret, Err *err);

/* Add what else lies in the folder; for commands that are asked what a deploy would do.
 * cost: a look into each migration's folder */
void flow_history_look(Arena *a, const Config *c, History *h);

typedef struct FlowInput {
    const Config *config;
    const char *self_exe;
    DbTick tick; /* stops waits; may be NULL */
    void *tick_arg;
    bool yes;     /* --yes: confirmed */
    bool can_ask; /* a person sits there */
} FlowInput;

/* What a use case does with its target. */
typedef enum FlowAccess {
    FLOW_READS,
    FLOW_PLANS,  /* the same, where a deploy could work */
    FLOW_LOCKS,  /* takes the migration lock */
    FLOW_WRITES, /* and changes it */
} FlowAccess;

/* How to open a session on a target, for the ledger of a history. All sessions of all use cases are
 * made of this. `verb` is what pg_stat_activity tells: "deploy". */
SessionOptions flow_session(const FlowInput *in, const Target *t, const History *h,
                            const char *verb, FlowAccess access);

/* Make the database that the target names. errors: ERR_DB_MISSING, ERR_DENIED, those of db_open and db_query */
MUST_CHECK bool flow_create_database(Arena *a, const FlowInput *in, const Target *t,
                                     const RunSink *sink, Err *err);

/* Write down a run that is no deploy, under the rule for deploys: where an environment was named, or the
 * table is there. That it cannot be written is told, and no error. */
void flow_record(Session *s, const RunSink *sink, const RunRow *row);

/* How to reach a database without looking for a ledger: one try. */
DbOptions flow_connection(const FlowInput *in, const DbUrl *url, const char *origin,
                          const char *application);

/* Who a database says that it is. */
typedef struct IdentityShown {
    const char *environment;                   /* NULL = it does not say; then so are the others */
    const char *name;                          /* or NULL */
    const char *made_at, *made_by, *made_with; /* NULL = by this command */
    const char *match;                         /* identity_match_name */
} IdentityShown;

/* ---- deploy ------------------------------------------------------------------------------- */

typedef struct DeployInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool show_progress;
    bool create_database;
    /* Asked before anything is changed, when there is something to apply. */
    bool (*approve)(void *arg, const Session *s, const Plan *plan, Err *err);
    void *approve_arg;
    /* Asked after that where a person must agree (base.can_ask); false with err (ERR_CONFIRM) stops. */
    bool (*ask)(void *arg, const Session *s, const Plan *plan, Err *err);
    void *ask_arg;
    const char *reason;          /* why there is to be no backup, or NULL */
    const char *break_glass;     /* why the policy's gate does not hold this time; or NULL */
    bool accepts_loss;           /* of all that production loses by the migrations */
    const char *accepts_loss_of; /* of these, with commas between their names; or NULL */
    /* Told the target as soon as it is known; may be NULL. */
    void (*on_target)(void *arg, const Target *t);
    void *on_target_arg;
    /* In production: given the way back of what is about to be applied, before the first change; of what has none,
     * why. May be NULL. */
    void (*on_way_back)(void *arg, Str sql);
    void *on_way_back_arg;
} DeployInput;

/* One look at whether things are well. */
typedef struct HealthCheck {
    const char *what; /* "https://shop.example", "sql/health.sql"; printable */
    const char *why;  /* it is not well, or was not asked; NULL = it is */
    bool ok;
    int64_t ms;
} HealthCheck;
typedef VEC(HealthCheck) HealthChecks;

typedef struct DeployResult {
    const Config *config;
    Target target;
    History history;
    RunReport run;
    HealthChecks health;      /* after it */
    const char *health_state; /* "well", "unwell", "rolled-back"; NULL: nothing was asked */
    size_t rolled_back;       /* migrations, because it was not well */
    const char *run_id;
    IdentityShown identity;
    const char *backup_id; /* of the newest one that was made, NULL = none */
    bool was_new;          /* nothing was applied before */
    /* Of the look behind the last migration: "same", "differs", "not-looked", "off"; NULL: there was
     * nothing to look at. */
    const char *verified;
    const struct Diff
        *changed; /* what the run did to the schema, where it was looked at; or NULL */
    const FindingList *findings; /* of the input's sink; or NULL */
} DeployResult;

/* Bring the database up to date. On false the result tells how far it came. */
MUST_CHECK bool flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err);

/* ---- plan --------------------------------------------------------------------------------- */

typedef struct PlanResult {
    Target target;
    const DbInfo *server; /* NULL when the target is absent */
    History history;
    Plan plan;
    FindingList findings; /* what a deploy would tell before it begins */
    bool ledger_exists;
    IdentityShown identity;
} PlanResult;

/* What deploy would do now, with the refusals that it would make. Never writes, takes no lock. */
MUST_CHECK bool flow_plan(Arena *a, const FlowInput *in, PlanResult *ret, Err *err);

/* ---- status ------------------------------------------------------------------------------- */

/* The states of a database, and the exit status of each. The worst one counts. */
typedef enum StatusState {
    STATUS_UP_TO_DATE = 0,
    STATUS_PENDING = 10,
    STATUS_FAILED = 11,
    STATUS_RESUMABLE = 12,
    STATUS_EDITED = 13,
    STATUS_MISSING = 14,
    STATUS_OUT_OF_ORDER = 15,
    STATUS_UNMANAGED = 16, /* tables but no history */
} StatusState;

const char *status_name(StatusState state);

typedef struct StatusResult {
    const Config *config;
    Target target;
    const DbInfo *server; /* NULL when the target is absent */
    History history;
    JournalVec journal;
    LockHolderVec runners; /* who holds the migration lock now */
    RunShownVec runs;      /* of Aramid, that changed this database, oldest first */
    bool runs_hidden;      /* this role may not read them */
    StatusState state;
    bool ledger_exists;
    int tables;
    IdentityShown identity;
    const char *wrong;      /* a deploy would be refused: why; NULL = it would not */
    KnownTableVec others;   /* histories of other tools in the same database */
    ExpandShownVec changes; /* in two steps, of which something is open */
    FindingList findings;
} StatusResult;

/* Compare files and ledger in a READ ONLY transaction; works with a read-only role. */
MUST_CHECK bool flow_status(Arena *a, const FlowInput *in, StatusResult *ret, Err *err);

/* ---- resolve ------------------------------------------------------------------------------ */

typedef struct ResolveInput {
    FlowInput base;
    RunSink sink;
    const char *applied;     /* NAME, or NULL */
    const char *up_to;       /* with `baseline` */
    const char *history;     /* only of this one of several, by its layout's name; or NULL */
    const char *rolled_back; /* NAME, or NULL */
    bool force;              /* do not look for the objects */
    /* The tool that the project moves to: its whole folder (or up to `up_to`) is recorded, where it makes
     * exactly what is in the database. NULL: the history is corrected. */
    const char *adopts;
    bool dry_run;    /* of adopts: only look */
    bool never_asks; /* Prisma's spelling */
    const char *run_id;
    const char *reason; /* why there is to be no backup, or NULL */
    /* Asked where a person must agree (base.can_ask). */
    bool (*ask)(void *arg, const Session *s, Err *err);
    void *ask_arg;
} ResolveInput;

typedef struct ResolveResult {
    Target target;
    VEC(const char *) names; /* that were recorded */
    const char *backup_id;   /* that was made before, NULL = none */
    bool applied;            /* else rolled back */
    ProbeResult probe;       /* of the last one */
    bool compared;           /* the whole database was, with what these and the applied ones make */
    bool dry_run;            /* nothing was recorded */
    const char *tool, *dir;  /* of an adopted history; else NULL */
    bool is_configured;      /* the settings lead to it */
    KnownTableVec others;    /* histories that the database had before; they stay */
    IdentityShown identity;
    const FindingList *findings; /* of the input's sink; or NULL */
} ResolveResult;

/* Correct the ledger by hand, by Prisma's rules, or fill that of another tool, under the migration lock.
 * errors: ERR_NO_SUCH_MIGRATION, ERR_ALREADY_APPLIED, ERR_NOT_APPLIED, ERR_NOT_FAILED, ERR_PROBE */
MUST_CHECK bool flow_resolve(Arena *a, const ResolveInput *in, ResolveResult *ret, Err *err);

/* ---- unlock ------------------------------------------------------------------------------- */

typedef struct UnlockInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    int pid; /* 0 = only list */
} UnlockInput;

typedef struct UnlockResult {
    Target target;
    LockHolderVec holders;
    int ended_pid;           /* 0 = none was asked for */
    const LockHolder *ended; /* as it was before; NULL = none */
} UnlockResult;

/* List the holders of the migration lock, and end backend `pid` when it is one. */
MUST_CHECK bool flow_unlock(Arena *a, const UnlockInput *in, UnlockResult *ret, Err *err);

/* ---- pull --------------------------------------------------------------------------------- */

typedef struct PullInput {
    FlowInput base;
    const char *schemas; /* "a,b": these database schemas, and say so in the datasource; or NULL */
    bool force;          /* as if there were no models yet */
} PullInput;

typedef struct PullResult {
    Target target;
    const DbInfo *server;
    const char *schema_path; /* file or folder */
    const Source *before;    /* what is in the files: empty texts where there is none yet */
    Pull pull;
    size_t changed; /* files */
    bool is_new;    /* there was no schema */
} PullResult;

/* Read the database and write its schema, in memory. Nothing is changed anywhere: the catalog is
 * read in a READ ONLY transaction.
 * errors: ERR_SCHEMA (the schema that is there has errors), ERR_DB_EMPTY, those of flow_target,
 * db_open, introspect and bridge_pull */
MUST_CHECK bool flow_pull(Arena *a, const PullInput *in, PullResult *ret, Err *err);

/* Write the files that differ, each through a temporary name. */
MUST_CHECK bool flow_pull_write(Arena *a, const PullResult *r, Err *err);
