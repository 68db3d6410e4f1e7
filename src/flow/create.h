/* aramid create: the next migration, made of what the migrations lack of the schema; and restack, which
 * gives migrations that were overtaken a later place. */
#pragma once

#include "flow/diff.h"

typedef enum CreateKind {
    CREATE_CHANGES, /* what leads from the migrations to the schema */
    CREATE_EMPTY,   /* a file to fill in */
    CREATE_DATA,    /* the same, for rows */
    CREATE_DRIFT,   /* what was done to the database by hand */
} CreateKind;

/* Beside the statuses of errors: the migrations make what the schema says. */
enum { CREATE_EXIT_SAME = 60 };

typedef struct CreateInput {
    FlowInput base;
    const char *command; /* as a person types it in front of a name: "aramid create" */
    CreateKind kind;
    const char *name;   /* as a person says it; NULL: not known yet, no files are made */
    bool unnamed;       /* where another tool writes it, that tool may find a name */
    bool any_name;      /* empty and generic names, too, as Prisma has it */
    bool empty_too;     /* a file also where nothing changes, as Prisma has it */
    const char *folder; /* of several histories: that of this folder; NULL = found out */
    const char *sql;    /* the target: a file or folder of SQL; NULL = what the project has */
    const char *const *renames; /* as DiffInput has them */
    size_t nrenames;
    bool no_renames;        /* what looks renamed is dropped and made */
    const CatRefs *dropped; /* of these a person has said so; or NULL */
    bool prisma_compat;     /* what Prisma's engine writes, its mistakes included */
    bool rls;               /* row-level security for new tables */
    bool down;              /* also the way back, where the layout has a place for it */
    bool needs_down;        /* an error where it has none */
    bool author;            /* git's user in the head of the file */
    const char *ticket;     /* in the head of the file; or NULL */
    bool dry_run;           /* nothing may be written, by other tools either */
    /* What another tool says that writes the migration, line by line; may be NULL. */
    void (*on_output)(void *arg, Str line);
    void *on_output_arg;
} CreateInput;

/* A file that is to be written. */
typedef struct CreateFile {
    const char *path;  /* below the migrations folder */
    const char *shown; /* for people */
    Str text;
} CreateFile;

/* Something that goes while its like comes. */
typedef struct CreateGuess {
    CatRef was;
    CatTexts now;    /* names that may be its new one */
    CatTexts wishes; /* for each: what to type behind --rename */
} CreateGuess;

typedef struct CreateResult {
    const Config *config;
    History all;     /* of the project */
    History history; /* the one of them that the new migration belongs to */
    CreateKind kind;
    const char *name;    /* of the migration: 20261130210000_add_user_bio */
    const char *from;    /* what it was made of, for people: "prisma/schema.prisma"; or NULL */
    bool is_same;        /* there is nothing to change */
    const char *by_tool; /* that wrote the files already; NULL = flow_create_write does */
    const struct CreateFolder *was; /* then: what the folder held before; or NULL */
    const char *summary;            /* the file's first line */
    Str sql, down;                  /* without the head; down: "" = none */
    VEC(CreateFile) files;          /* none where is_same */
    VEC(CreateGuess) guesses;       /* not answered yet: nothing can be written */
    const DiffResult *diff;         /* of CREATE_CHANGES; else NULL */
    const Catalog *before;          /* what the migrations make; NULL: of a file to fill in */
    FindingList findings, diags;
} CreateResult;

/* Make it, in memory. The database is not touched: migrations are replayed on a private server, or not
 * at all where the cache knows what they make.
 * errors: ERR_USAGE: of several histories nobody said which; ERR_NAME; ERR_SCHEMA; ERR_RENAMED: something looks renamed (ret->guesses has all; asked for by
 * base.can_ask no error is made of it); those of flow_history, flow_diff, flow_diff_can_run */
MUST_CHECK bool flow_create(Arena *a, const CreateInput *in, CreateResult *ret, Err *err);

/* Whether in->name can be one, before anything is compared. errors: ERR_NAME */
MUST_CHECK bool flow_create_named(Arena *a, const CreateInput *in, Err *err);

/* Write its files: all or none, whatever happens meanwhile, and never over what is there.
 * errors: ERR_EXISTS: it is there, or another migration came meanwhile; ERR_IO */
MUST_CHECK bool flow_create_write(Arena *a, const CreateResult *r, Err *err);

/* Take away again what another tool wrote for it (by_tool). errors: ERR_IO */
MUST_CHECK bool flow_create_take_back(Arena *a, const CreateResult *r, Err *err);
