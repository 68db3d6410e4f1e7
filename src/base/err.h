/* Errors.
 *
 * A fallible function returns bool and takes `Err *err` last; false means that err is filled.
 * An error has three texts, as PostgreSQL's messages do: primary (one line, lower case, no final
 * stop), detail (the values, the failing call), hint (what to do, with the command to type).
 * The texts live inside the Err, so it may outlive every arena; longer texts are cut. */
#pragma once

#include "base/str.h"

#define MUST_CHECK __attribute__((warn_unused_result))

typedef enum ErrCode {
    ERR_NONE = 0,
#define ERR(id, exit, name, prisma, meaning, help) ERR_##id,
#include "base/errors.def"
#undef ERR
    ERR_COUNT
} ErrCode;

typedef struct ErrInfo {
    const char *name;   /* stable: "migration-failed" */
    const char *prisma; /* "P3018" or "" */
    const char *meaning;
    const char *help; /* when it comes, what to do */
    int exit_status;
} ErrInfo;

/* A place in a file; line and column count from 1, 0 = unknown. */
typedef struct Place {
    char path[512];
    int line, column;
} Place;

typedef struct Err {
    ErrCode code;
    char sqlstate[6]; /* "" when the server did not say one */
    char primary[1024];
    char detail[4096];
    char hint[2048];
    Place at;
    int statement; /* 1-based number in the file, 0 = none */
} Err;

const ErrInfo *err_info(ErrCode code);
int err_exit_status(const Err *err);   /* 128 + signal when one was caught and interrupted */
bool err_is_temporary(const Err *err); /* trying the same again may help */

/* Fill err (detail, hint and place are cleared); always returns false. */
__attribute__((format(printf, 3, 4))) bool err_set(Err *err, ErrCode code, const char *fmt, ...);

/* Add to a filled err; both return false. Texts are appended on a new line. */
__attribute__((format(printf, 2, 3))) bool err_detail(Err *err, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) bool err_hint(Err *err, const char *fmt, ...);

/* Set the place; path may be NULL. Returns false. */
bool err_at(Err *err, const char *path, int line, int column);
