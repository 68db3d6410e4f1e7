/* aramid testdb: databases of their own for tests, as clones of one that has all migrations and seeds. */
#pragma once

#include "flow/flow.h"

/* What a database of ours is for, by the letter in its name (aramid_test_<letter>_<hash>[_<random>]). */
typedef enum TestDbKind {
    TESTDB_TEMPLATE, /* t: what clones are made of; nobody connects to it */
    TESTDB_BEGUN,    /* b: becomes one, while the lock of its hash is held */
    TESTDB_READY,    /* p: a clone that nobody has taken yet */
    TESTDB_TAKEN,    /* c */
} TestDbKind;

typedef struct TestDb {
    TestDbKind kind;
    const char *name, *hash;
    const char *url; /* with what its server wants, also a password; set for those that are taken */
    int64_t
        until_us; /* taken: wall clock at which it may be dropped; template: when it was last used; 0 = unknown */
    const char *owner; /* os_tag of the process that it belongs to; NULL = none */
    int64_t sessions;
    bool is_new;    /* taken: made for this call, not from those that were ready */
    bool was_tried; /* ready: this call has taken it, or somebody else had */
} TestDb;

typedef VEC(TestDb) TestDbVec;

typedef struct TestDbInput {
    FlowInput base;
    const char *url,
        *url_origin; /* the server that they are made on; NULL: the project's own for tests */
    bool seeds;
    int count;
    int64_t ttl_ms;
    long owner; /* process whose end gives them back; 0 = none */
    /* Told before a template is made, which takes as long as a deploy; may be NULL. */
    void (*on_making)(void *arg, size_t migrations, size_t known);
    void (*on_output)(void *arg, Str line); /* of the seed command */
    void *arg;
} TestDbInput;

typedef struct TestDbResult {
    const char *server; /* as people see it */
    TestDbVec list;
    size_t dropped;
    bool has_made; /* the template */
    const char *template;
    const char *hash; /* of the template */
} TestDbResult;

/* Take in->count databases, each with the project's migrations (and seeds) applied: ready ones first, else clones
 * are made. The template is named by a hash over the texts of history and seeds, and made once however many ask at the
 * same moment, from the newest one that has the first of these migrations.
 * errors: ERR_REFUSED: production; ERR_DENIED: the role may make no databases; those of flow_history, flow_deploy,
 * flow_seed. Nothing is left of a template that could not be made.
 * cost: with one that is ready one connection and two round trips */
MUST_CHECK bool flow_testdb_take(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err);

/* Behind the answer: sweep, and make as many of that template ready as the setting testdb.pool says. */
MUST_CHECK bool flow_testdb_refill(Arena *a, const TestDbInput *in, const char *hash, Err *err);

/* All of ours on the server. Makes no server. */
MUST_CHECK bool flow_testdb_list(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err);

/* Drop these (names, or URLs that end in one), with whoever is connected; NULL, 0: all of ours, templates too, and
 * the project's own server with them. That one is gone already is no error. errors: ERR_USAGE: the name is none of ours */
MUST_CHECK bool flow_testdb_drop(Arena *a, const TestDbInput *in, const char *const *names,
                                 size_t n, TestDbResult *ret, Err *err);

/* Drop what is over: taken ones whose time is up, or whose process is gone and to which nobody is connected; what a
 * killed call has left; templates that were not used for a week, and all but the newest eight. */
MUST_CHECK bool flow_testdb_sweep(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err);
