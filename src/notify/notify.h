/* What the team and its tools are told of a run, in the forms of those tools. Pure: facts in, bodies of
 * requests and texts of files out; flow/word.h sends them.
 *
 * No body holds a value of a row, a URL with a password, or SQL: texts come redacted, and errors about
 * data without the data. Forms: Slack's incoming webhooks (blocks), Sentry's envelopes (version 7), OTLP/HTTP
 * JSON 1.x, Prometheus' text format 0.0.4. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef enum WordKind {
    WORD_PLANNED,
    WORD_STARTED,
    WORD_DONE,
    WORD_FAILED,
    WORD_DRIFT,
    WORD_COUNT
} WordKind;

/* "planned", "started", "done", "failed", "drift": as settings and bodies have them. */
const char *word_name(WordKind kind);

typedef struct WordStatement {
    int number, line;
    const char *tag; /* "CREATE TABLE" */
    int64_t us;
} WordStatement;

typedef struct WordMigration {
    const char *name;
    int64_t ms;
    VEC(WordStatement) statements; /* those whose time is known */
} WordMigration;

typedef struct Word {
    WordKind kind;
    const char *command;     /* "deploy" */
    const char *environment; /* "production" */
    const char *database;    /* its name; NULL = not known */
    const char *host;        /* of the server, or NULL */
    const char *run_id;      /* or NULL */
    const char *release;     /* of the application: a commit; or NULL */
    const char *who;         /* "ci@runner" */
    const char *link;        /* to the pipeline's page, or NULL */
    int64_t began_us;        /* wall clock */
    int64_t ms;
    VEC(WordMigration) migrations; /* pending, or applied */
    const char *backup;            /* id, or NULL */
    const char *break_glass;       /* why its gate did not hold, or NULL */
    const char *health;            /* "well", "unwell", "rolled-back"; NULL = not asked */
    size_t rolled_back;
    /* of a failure: */
    const char *error_name;     /* "migration-failed" */
    const char *error_text;     /* one line, without data */
    const char *error_hint;     /* what to do; or NULL */
    const char *error_at;       /* "prisma/migrations/x/migration.sql:3:1", or NULL */
    const char *sqlstate;       /* or NULL */
    const char *failed;         /* name of the migration, or NULL */
    const char *log;            /* folder of the run, or NULL */
    VEC(const char *) contacts; /* who is to be called */
    const char *channel;        /* said in the text for Slack: "#engineering"; or NULL */
} Word;

/* An error's line as it may leave the house: of an error about data (SQLSTATE class 22 or 23) what stands in
 * quotes behind a colon is left out. */
const char *word_text(Arena *a, const Err *err);

/* One line for people: "deploy to production failed: ..." */
const char *word_line(Arena *a, const Word *w);

Str notify_slack(Arena *a, const Word *w);
/* Aramid's own form, for webhooks (docs/schema/word.json). */
Str notify_webhook(Arena *a, const Word *w);
/* Markdown, for a job's summary. */
Str notify_summary(Arena *a, const Word *w);
/* Gauges of the last run, for node_exporter's textfile collector. */
Str notify_prometheus(Arena *a, const Word *w);

/* Where an event of Sentry is sent, of a DSN. errors: ERR_URL: it is none */
typedef struct SentryPlace {
    const char *url;  /* with the key; secret */
    const char *auth; /* header */
} SentryPlace;
MUST_CHECK bool notify_sentry_place(Arena *a, const char *dsn, SentryPlace *ret, Err *err);
/* event_id: 32 hexadecimal digits */
Str notify_sentry(Arena *a, const Word *w, const char *event_id, int64_t now_us);

/* Ids of a trace, in hexadecimal. */
typedef struct TraceIds {
    const char *trace;  /* 32 digits */
    const char *parent; /* 16 digits, or NULL */
    uint64_t first;     /* of the spans: they count from here; not 0 */
} TraceIds;
/* Read W3C's traceparent ("00-...-...-01"); false: it is none. */
bool notify_traceparent(Arena *a, const char *text, TraceIds *ret);
/* A span for the run, each migration and each statement whose time is known. */
Str notify_otlp_traces(Arena *a, const Word *w, const TraceIds *ids);
Str notify_otlp_metrics(Arena *a, const Word *w);
