/* Internal to run/: sending a user's statements while somebody looks at them, and waiting for others. */
#pragma once

#include "run/message.h"

/* A close look at a message's waits, several times while others may queue for a moment. It fires,
 * which cancels the message, when that waits for a table lock, or for anything while others wait
 * for a table that it has locked. For a statement outside of transactions it fires when that waits
 * for a client of the layout's tool, which waits for our lock: else the server would end one of the two. */
typedef struct LockWatch {
    bool is_alone;
    bool may_fire;
    bool fired;
    char blocker[256]; /* the last one seen, "" = none */
    int blocker_pid;
    const char *transaction; /* fire only while it is in this one ("3/17"), NULL = any */
} LockWatch;

enum { LOCK_WATCH_EVERY_MS = 20, STALL_WATCH_EVERY_MS = 5 };

/* Send a message of the user's statements, watched, with the server's notices as events. locks may
 * be NULL. */
void run_send(Run *r, Arena *a, Str sql, LockWatch *locks, DbOutcome *ret);

/* The same where rows are wanted, one by one. */
void run_send_rows(Run *r, Arena *a, Str sql, DbRow row, void *row_arg, DbOutcome *ret);

/* Who hears of a message while it runs. */
typedef struct MessageCalls {
    BlockTimes *times; /* rows */
    DbStep step;       /* each statement's end; or NULL */
    void *arg;
} MessageCalls;

/* The same for a message of steps. */
void message_send(Run *r, Arena *a, const Message *m, LockWatch *locks, const MessageCalls *calls,
                  DbOutcome *ret);

/* Open the observer's connection, if that has not failed before. */
bool watch_open(Run *r);
/* Watch the statement that is sent next; run_tick drives it. After a second it opens the observer's
 * connection and reports progress, who blocks us and whom we block. locks may be NULL; it needs
 * watch_open. */
void watch_begin(Run *r, LockWatch *locks);
/* false: the lock watch fired, or the server no longer runs our statement although no answer came
 * (the link is half-open). */
bool watch_tick(Run *r, int64_t elapsed_ms);
void watch_end(Run *r);
/* The next migration of the same message begins. */
void watch_next(Run *r);

/* What is sent next may hold locks for long, and may be cancelled when others wait for it (CFG_STALL). */
void stall_begin(Run *r, bool may_cancel);
/* Look at it when it is time; false: it is to be cancelled. */
bool stall_tick(Run *r);
void stall_end(Run *r);
/* What was seen of the migration under way, for its report; and telling of it, once it is applied. */
void stall_note(Run *r, RunDone *done);
void stall_tell(Run *r, const char *name);
/* The longest wait that the settings allow, 0 = any; whether somebody can look. */
int64_t stall_limit_ms(const Run *r);
/* Before anything is changed: that nobody can look. */
void stall_tell_off(Run *r);

/* After a lock timeout: wait until nobody who is older than a moment holds the relations. Reports
 * who; `seen` was seen blocking us, "" = nobody. false: the budget is used up (ERR_LOCK_BUDGET) or a
 * stop. */
MUST_CHECK bool blockers_wait(Run *r, const MigrationPlan *mp, const LockPlan *locks,
                              const char *seen, Err *err);
