/* The results of the backup commands as text and JSON (docs/schema/backup*.json). */
#pragma once

#include "base/jw.h"
#include "flow/backup.h"
#include "report/term.h"

void report_backup_text(Buf *out, const Term *t, const BackupMade *r);
void report_backup_json(JsonWriter *w, const BackupMade *r);

/* now_us: wall clock, for ages. */
void report_backup_list_text(Buf *out, const Term *t, const BackupFolder *f, const Config *c,
                             int64_t now_us);
void report_backup_list_json(JsonWriter *w, const BackupFolder *f, int64_t now_us);

void report_backup_verify_text(Buf *out, const Term *t, const BackupLooks *r, const Config *c);
void report_backup_verify_json(JsonWriter *w, const BackupLooks *r);

void report_backup_prune_text(Buf *out, const Term *t, const BackupPruned *r, const Config *c);
void report_backup_prune_json(JsonWriter *w, const BackupPruned *r);
