/* Whether a command may do what it is about to do, to this database, from here. Pure: facts in, a
 * verdict and its reasons out; who asks the environment, the server and the person is elsewhere. */
#pragma once

#include "base/err.h"

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
