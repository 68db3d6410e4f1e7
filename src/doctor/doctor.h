/* What may be wrong with a project, its database, and the way between them.
 *
 * One file for each area; each check is bounded in time and independent of the others, so that half
 * of everything broken still tells about the other half. Checks never fail: they add findings. What
 * a role may not see is said, never passed over. Nothing is changed anywhere: databases are read in
 * READ ONLY transactions, programs are only asked for their version. */
#pragma once

#include "base/finding.h"
#include "run/run.h"
#include "shadow/cluster.h"

/* The areas of doctor are the first of all: AREA_CONFIG to AREA_IDENTITY. */
enum { DOCTOR_AREA_COUNT = AREA_IDENTITY + 1 };

typedef struct Doctor {
    Arena *arena;
    const Config *config;
    const ConfigRequest *request; /* that the configuration was loaded with */
    const ConfigProblems *problems;
    unsigned areas; /* bits of FindingArea: findings of others are left out, but for errors on the
                       way to what is asked for */
    DbTick tick;    /* stops waits; may be NULL */
    void *tick_arg;
    FindingList findings; /* in the order of the checks; made by the caller */
    FindingArea now;      /* where it is being looked */
    bool is_over;         /* interrupted, or the connection is gone: the rest is left out */
} Doctor;

/* Add a finding: what it is about and what to do may be NULL. What looks like a password is taken
 * out. Returns it until the next one is added, so that a place can be set. */
__attribute__((format(printf, 6, 7))) Finding *doctor_add(Doctor *d, FindingId id,
                                                          Severity severity, const char *object,
                                                          const char *fix, const char *fmt, ...);

bool doctor_wants(const Doctor *d, FindingArea area);

/* The configuration, its files and what git knows of them. Asks git at most once (2 s). */
void doctor_config(Doctor *d);

/* The way to the database, step by step, up to a session that reads; waits are cut short, whatever
 * `to` allows. Returns false without one.
 * embedded: the project's own server; only the session counts.
 * cost: for each address at most a few seconds; one to three connections. */
bool doctor_reach(Doctor *d, const SessionOptions *to, bool embedded, Session *ret);

/* What the pending migrations need that the role does not have. cost: one round trip. */
void doctor_privileges(Doctor *d, Session *s, const Plan *plan);

/* The server as the session sees it; data_dir: of a server on this machine, or NULL.
 * cost: a dozen round trips, each bounded. */
void doctor_server(Doctor *d, Session *s, const char *data_dir);

/* Histories of migration tools in all schemas. cost: two round trips. */
void doctor_ledgers(Doctor *d, Session *s);

/* Programs on this machine and in the project. server_version: 170004, 0 = not known.
 * cost: each program is asked for its version once, bounded. */
void doctor_tools(Doctor *d, int server_version);

/* Which database it is; s NULL: only what the configuration says. */
void doctor_identity(Doctor *d, Session *s);
