/* Internal to report/: the parts of a run's page. */
#pragma once

#include "report/run_page.h"

typedef struct Page {
    const RunPage *in;
    Buf out;
    FILE *file;
    bool is_lost; /* the file could not be written */
} Page;

/* Text without secrets, made printable and escaped. */
void page_text(Page *p, const char *text, bool multiline);
/* A migration's name, which may break behind each _. */
void page_name(Page *p, const char *name);
void page_ms(Page *p, int64_t ms); /* nothing where it is negative */
void page_flush(Page *p);

/* Whether an event tells of waiting for somebody else. */
bool page_is_wait(const StoryEvent *e);

void page_findings(Page *p);
void page_migrations(Page *p);
void page_locks(Page *p);
void page_schema(Page *p);
void page_log(Page *p);
