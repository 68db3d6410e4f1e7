/* What the files of aramid testdb share; no other file includes it. */
#pragma once

#include "flow/testdb.h"

#define TESTDB_PREFIX "aramid_test_"

typedef struct TestServer {
    const TestDbInput *in;
    const char *url, *origin; /* of any database there */
    const char *shown;
    bool is_own; /* the project's cluster for tests */
    Db *admin;
    TestDbVec all; /* as last read */
} TestServer;

/* Connect, make the own server if `makes`, and read what is there. *ret->admin NULL: there is no server.
 * errors: ERR_REFUSED, those of cluster_ensure and db_open */
MUST_CHECK bool testdb_open(Arena *a, const TestDbInput *in, bool makes, TestServer *ret, Err *err);
/* The project's own server with all its data; nothing where there is none. */
MUST_CHECK bool testdb_remove_server(Arena *a, const TestDbInput *in, Err *err);
MUST_CHECK bool testdb_read(Arena *a, TestServer *s, Err *err);
TestDb *testdb_find(const TestServer *s, TestDbKind kind, const char *hash);

/* NAME_<random>, or without that for a template. */
const char *testdb_name(Arena *a, TestDbKind kind, const char *hash);

/* What a name of ours says. false: it is none. */
bool testdb_read_name(Arena *a, Str name, TestDb *ret);

/* CREATE DATABASE, as a clone of `of` (with the settings of that) or empty (NULL). Waits for others who clone it. */
MUST_CHECK bool testdb_create(Arena *a, const TestServer *s, const char *name, const char *of,
                              Err *err);
/* Whether it is gone; who is connected is sent away. */
bool testdb_drop_one(const TestServer *s, const char *name);

/* The lock of a hash, of this connection. */
MUST_CHECK bool testdb_try_lock(Arena *a, const TestServer *s, const char *hash, bool *ret,
                                Err *err);
MUST_CHECK bool testdb_unlock(Arena *a, const TestServer *s, const char *hash, Err *err);

/* The hash of what the project's databases hold. *ret_chain (of count + 1): the hash behind each migration.
 * errors: those of flow_history and of reading seeds */
typedef struct TestPlan {
    History history;
    const char **chain; /* chain[i]: of the server and the first i migrations */
    size_t n;
    bool has_seeds;
    const char *hash; /* of all of it */
} TestPlan;

MUST_CHECK bool testdb_plan(Arena *a, const TestServer *s, TestPlan *ret, Err *err);

/* Make the template of a plan, unless it is there by then. */
MUST_CHECK bool testdb_make(Arena *a, TestServer *s, const TestPlan *plan, bool *ret_made,
                            Err *err);
