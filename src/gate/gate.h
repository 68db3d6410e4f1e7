/* Whether a command may do what it is about to do, to this database, from here. Pure: facts in, a
 * verdict and its reasons out; who asks the environment, the server and the person is elsewhere.
 *
 * Two questions. gate_target: is this the right database, and may it be changed from here at all?
 * It is asked as soon as the database has told who it is, also when there is nothing to do.
 * gate_consent: did somebody agree who may? It is asked before something is changed. */
#pragma once

#include "config/config.h"

/* Where a database is: what tells a copy from the original. */
typedef struct IdentityPlace {
    const char *system;   /* system_identifier of the server, NULL = not told */
    const char *database; /* its name */
    const char *oid;      /* its number on the server */
    const char *branch;   /* of Neon, NULL = none */
    const char *address;  /* "user@host:port" where the host's name is a public one, else NULL */
} IdentityPlace;

/* What is written in a database about itself. */
typedef struct Identity {
    const char *schema; /* whose ledger it is about */
    const char *environment, *profile;
    const char *name;    /* given by a person, or NULL */
    IdentityPlace place; /* when it was written */
    const char *made_at, *made_by, *made_with;
} Identity;

typedef enum IdentityMatch {
    IDENTITY_SAME,
    IDENTITY_RENAMED, /* the same database under another name */
    IDENTITY_MOVED,   /* another one in its place: restored there, or its server was upgraded */
    IDENTITY_COPY,    /* written in a database that is elsewhere */
} IdentityMatch;

/* Compare where a database was when it was marked with where it is now.
 *
 * Copies are told by what they cannot keep: CREATE DATABASE ... TEMPLATE by name and number, a dump
 * by the server's identifier, a branch of Neon by the branch. A standby that was promoted, and a
 * copy of the whole server (pg_basebackup, snapshot), keep everything: nothing tells them apart, so
 * neither is called a copy. pg_upgrade and a restore under the same public address change the
 * identifier: the address then says that it is the same place. */
IdentityMatch identity_match(const IdentityPlace *written, const IdentityPlace *now);
const char *identity_match_name(IdentityMatch match);

typedef enum GateAct {
    GATE_LOOKS,    /* at what would be done: only the wrong database is refused */
    GATE_CHANGES,  /* deploy, resolve */
    GATE_MARKS,    /* says who the database is */
    GATE_DESTROYS, /* what is there may be lost */
} GateAct;

typedef struct GateFacts {
    GateAct act;
    const char *command; /* "aramid deploy", for hints */

    /* who asks */
    const char *environment, *environment_origin;
    ConfigProfile profile;
    bool is_said;                /* the environment is not a default */
    const char *expected;        /* what the database must call itself; NULL = anything */
    const char *vercel;          /* VERCEL_ENV, NULL = not there */
    const char *branch;          /* of git, as the pipeline says; NULL = not known */
    const char *const *branches; /* that may change the database */
    size_t branch_count;         /* 0 = all */
    const char *agent;           /* name of the coding agent that runs us, or NULL */
    const char *agent_consent;   /* what the person said to it, or NULL */
    bool is_ci, can_ask;
    bool confirms;      /* the configuration wants a question */
    bool yes;           /* --yes */
    bool said_by_name;  /* ARAMID_CONSENT names the environment */
    bool url_is_own;    /* the URL was given for this environment by name */
    const char *origin; /* of the URL, or NULL */

    /* the database */
    bool is_known; /* what follows was read */
    const char *host, *database, *user;
    const Identity *identity; /* of the schema, NULL = none */
    const Identity *other;    /* another schema's production, NULL = none */
    IdentityPlace place;
    bool has_history;
} GateFacts;

typedef struct GateTarget {
    IdentityMatch match; /* with an identity */
    bool is_copy;        /* one that must be renamed */
    bool writes;         /* the first change should write down who this is */
    Finding found;       /* to be told; without a text nothing is */
} GateTarget;

/* errors: ERR_IDENTITY, the database is another environment's or a copy; ERR_REFUSED, not from here
 */
MUST_CHECK bool gate_target(Arena *a, const GateFacts *f, GateTarget *ret, Err *err);

typedef enum GateConsent { GATE_AGREED, GATE_ASK } GateConsent;

/* errors: ERR_REFUSED, a coding agent without a person's words; ERR_CONFIRM, nobody agreed and
 * nobody can be asked */
MUST_CHECK bool gate_consent(Arena *a, const GateFacts *f, GateConsent *ret, Err *err);

/* Which coding agent runs us, by what it sets in the environment of its commands; NULL = none.
 * `get` gives a variable's value, NULL when it is not set. The list is Prisma's, so that both
 * refuse in the same places (prisma 7.10, "ai-safety"). */
const char *gate_agent(const char *(*get)(const char *name));

/* The variable that Prisma and Aramid read a person's consent from. */
#define GATE_AGENT_CONSENT "PRISMA_USER_CONSENT_FOR_DANGEROUS_AI_ACTION"
