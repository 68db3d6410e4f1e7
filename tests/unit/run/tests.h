/* The tests of src/run: one server, a database for each test. */
#pragma once

#include "run/message.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "run/step.h"
#include "run/watch.h"

#define LOCK_KEY_PRISMA "72707369"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* clang-format off */
#define RUN_TESTS(T) \
    T(message_parts_match) T(message_runs_as_planned) T(message_texts) T(message_own_commit) \
    T(message_chained) T(message_checks_and_isolation) T(message_locks) \
    T(message_checks_hold) T(message_places) T(message_places_outside) \
    T(keys_are_what_pg_locks_shows) T(session_finds_ledger) T(session_without_schema) \
    T(session_of_default_role) T(session_reads_in_read_only) \
    T(lock_excludes_others) T(lock_reads_what_it_protects) T(lock_holders_of_other_roles) \
    T(lock_ends_own_lost_connection) T(lock_lets_prisma_through) \
    T(journal_statements_parse_and_quote) T(journal_round_trip) T(journal_in_a_given_schema) \
    T(journal_beside_the_ledger) T(journal_nowhere) \
    T(identity_round_trip) T(identity_of_poor_roles) T(identity_beside_the_ledger) \
    T(record_is_completed) T(deploy_keeps_a_record) \
    T(probe_sees_objects) T(probe_nasty_names) T(resolve_writes_rows) \
    T(deploy_applies_once) T(deploy_resumes_after_failure) T(deploy_replans_once) T(deploy_runs_procedures_once) \
    T(deploy_retries_own_transactions) \
    T(deploy_survives_lost_lock) T(deploy_survives_leaked_settings) \
    T(deploy_ignores_waiters_elsewhere) T(deploy_cleans_unnamed_index) \
    T(deploy_keeps_what_a_late_stop_built) T(deploy_refuses_failed) T(deploy_reports_failure) \
    T(event_names) T(events_are_printable) T(failpoint_names)
/* clang-format on */

#define DECLARE(name) void name(void **state);
RUN_TESTS(DECLARE)
#undef DECLARE

typedef struct Event {
    RunEventKind kind;
    RunLevel level;
    const char *migration, *text;
} Event;

/* A database of its own and a run on it. */
typedef struct Scene {
    Arena *arena;
    Config config;
    const char *database, *url_text;
    DbUrl url;
    History history;
    Db *admin; /* superuser's connection to the database */
    VEC(Event) events;
    void (*on_event)(struct Scene *s, const RunEvent *e); /* NULL = only kept */
    RunDeploy deploy;
    RunReport report;
    Run run; /* for tests of single functions; its session is closed by scene_close */
} Scene;

int cluster_start(void **state);
int cluster_end(void **state);

/* Begin and end a test. The database remains: the server goes with the program. */
Scene *scene_open(void **state);
void scene_close(Scene *s);

/* Let the run connect as `role`, a new one made with these words; returns its name. */
const char *scene_role(Scene *s, const char *words);

void scene_add(Scene *s, const char *name, const char *sql); /* a migration */
void scene_sql(Scene *s, const char *sql);                   /* as superuser; must succeed */
const char *scene_ask(Scene *s, const char *sql);            /* the first value, "" for NULL */
bool scene_deploy(Scene *s, Err *err);
void scene_must_deploy(Scene *s);
int scene_saw(const Scene *s, RunEventKind kind, const char *part); /* number of such events */

/* A session as a command opens it. */
void scene_session(Scene *s, Session *ret);
/* Open the session of s->run. */
Run *scene_run(Scene *s);
Db *scene_connect(Scene *s);
RunSink scene_sink(Scene *s);

void scene_plan(Scene *s, const char *sql, const PlanHints *hints, MigrationPlan *ret);
