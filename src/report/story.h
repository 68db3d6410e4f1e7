/* What a run's folder tells about it: events.jsonl and plan.json, read back. Pages are made of this, during the
 * run and later alike. */
#pragma once

#include "base/finding.h"
#include "base/str.h"
#include "base/vec.h"

typedef struct StoryEvent {
    int64_t at; /* milliseconds since the first one */
    int64_t ms; /* -1: none */
    const char *event, *level, *migration, *text;
    const char *finding, *object, *place, *fix; /* of a finding: its id; NULL where there is none */
} StoryEvent;

typedef struct StoryStatement {
    int line;
    const char *kind;
    int64_t ms, forecast; /* -1: not known */
} StoryStatement;

typedef struct StoryLock {
    const char *relation, *mode;
    bool is_new; /* a table that the run itself makes: nobody else waits for it */
} StoryLock;

typedef enum StoryState {
    STORY_PLANNED,
    STORY_BEGUN,
    STORY_FAILED,
    STORY_DONE,
    STORY_UNDONE,
    STORY_STATE_COUNT
} StoryState;

typedef struct StoryMigration {
    const char *name, *path, *checksum;
    StoryState state;
    int64_t at, ms;   /* since the first event; -1 */
    int64_t forecast; /* milliseconds; -1: nobody has tried it */
    int steps;
    bool is_apart; /* some of it stands outside of transactions */
    VEC(StoryStatement) statements;
    VEC(StoryLock) locks;
} StoryMigration;

typedef struct Story {
    const char *run, *began, *command, *environment;
    const char *server; /* "PostgreSQL 15.18 at ..., database ..., user ..." */
    int64_t ms;         /* from the first event to the last */
    bool is_done;       /* it said that it came to its end, well or not */
    VEC(StoryEvent) events;
    VEC(StoryMigration) migrations; /* of the plan, then others that events name */
    /* Where it failed: */
    const char *error, *code, *detail, *hint, *error_path;
    int error_line, exit_status;
    size_t skipped; /* lines that are not events: of a run that was killed while it wrote */
} Story;

/* Read plan.json (where there is one) into a zeroed story, then events.jsonl. What is missing or broken is left out.
 * All is copied into `a`; the events of single statements and migrations are told by these.
 * cost: linear; one migration, one line is parsed at a time */
void story_plan(Arena *a, Story *s, Str plan);
void story_events(Arena *a, Story *s, Str events);

/* "done", "failed", "did not end" */
const char *story_outcome(const Story *s);
size_t story_count(const Story *s, StoryState state);
