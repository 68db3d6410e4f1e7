/* libpq, loaded when first needed: programs that need no database start without it and the 20
 * libraries behind it. Internal to db/. */
#pragma once

#include "base/err.h"

#include <libpq-fe.h>

#define PQ_FUNCTIONS(X)                                                                            \
    X(PQconnectStartParams)                                                                        \
    X(PQconnectPoll)                                                                               \
    X(PQfinish)                                                                                    \
    X(PQstatus)                                                                                    \
    X(PQsocket)                                                                                    \
    X(PQerrorMessage)                                                                              \
    X(PQsetErrorVerbosity)                                                                         \
    X(PQsetErrorContextVisibility)                                                                 \
    X(PQsetNoticeReceiver)                                                                         \
    X(PQsetnonblocking)                                                                            \
    X(PQserverVersion)                                                                             \
    X(PQbackendPID)                                                                                \
    X(PQhost)                                                                                      \
    X(PQport)                                                                                      \
    X(PQconnectionUsedPassword)                                                                    \
    X(PQsslAttribute)                                                                              \
    X(PQparameterStatus)                                                                           \
    X(PQsendQuery)                                                                                 \
    X(PQsetSingleRowMode)                                                                          \
    X(PQflush)                                                                                     \
    X(PQconsumeInput)                                                                              \
    X(PQisBusy)                                                                                    \
    X(PQgetResult)                                                                                 \
    X(PQresultStatus)                                                                              \
    X(PQresultErrorField)                                                                          \
    X(PQcmdStatus)                                                                                 \
    X(PQntuples)                                                                                   \
    X(PQnfields)                                                                                   \
    X(PQgetvalue)                                                                                  \
    X(PQgetlength)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQclear)                                                                                     \
    X(PQgetCopyData)                                                                               \
    X(PQputCopyData)                                                                               \
    X(PQputCopyEnd)                                                                                \
    X(PQfreemem)                                                                                   \
    X(PQgetCancel)                                                                                 \
    X(PQcancel)                                                                                    \
    X(PQfreeCancel)

typedef struct PqApi {
#define X(name) __typeof__(&name) name;
    PQ_FUNCTIONS(X)
#undef X
} PqApi;

/* Fill the table; the library stays loaded until the process ends. */
MUST_CHECK bool pq_load(PqApi *ret, Err *err);
