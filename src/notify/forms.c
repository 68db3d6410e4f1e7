/* Webhooks, a job's summary, Prometheus' textfile. */
#include "notify/notify.h"

#include "base/clock.h"
#include "base/jw.h"

Str
notify_webhook(Arena *a, const Word *word)
{
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_strz(&w, "event", word_name(word->kind));
    jw_strz(&w, "text", word_line(a, word));
    jw_strz(&w, "command", word->command);
    jw_strz(&w, "environment", word->environment);
    jw_strz(&w, "database", word->database);
    jw_strz(&w, "run", word->run_id);
    jw_strz(&w, "release", word->release);
    jw_strz(&w, "by", word->who);
    jw_strz(&w, "link", word->link);
    jw_strz(&w, "beganAt", clock_iso(a, word->began_us));
    jw_int(&w, "ms", word->ms);
    jw_array(&w, "migrations");
    vec_each (const WordMigration, m, &word->migrations) {
        jw_object(&w, NULL);
        jw_strz(&w, "name", m->name);
        if (word->kind == WORD_DONE)
            jw_int(&w, "ms", m->ms);
        else
            jw_null(&w, "ms");
        jw_end(&w);
    }
    jw_end(&w);
    jw_strz(&w, "backup", word->backup);
    jw_strz(&w, "breakGlass", word->break_glass);
    jw_strz(&w, "health", word->health);
    jw_int(&w, "rolledBack", (int64_t)word->rolled_back);
    if (word->kind == WORD_FAILED) {
        jw_object(&w, "error");
        jw_strz(&w, "name", word->error_name);
        jw_strz(&w, "text", word->error_text);
        jw_strz(&w, "hint", word->error_hint);
        jw_strz(&w, "at", word->error_at);
        jw_strz(&w, "sqlstate", word->sqlstate);
        jw_strz(&w, "migration", word->failed);
        jw_end(&w);
    } else
        jw_null(&w, "error");
    jw_end(&w);
    return buf_str(&w.out);
}

/* ---- a job's summary ----------------------------------------------------------------------- */

/* Text in a table of Markdown: nothing in it is markup. */
static void
add_cell(Buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\n' || *p == '\r')
            buf_addc(b, ' ');
        else if (*p == '<')
            buf_addz(b, "&lt;");
        else if (*p == '>')
            buf_addz(b, "&gt;");
        else if (*p == '&')
            buf_addz(b, "&amp;");
        else {
            if (strchr("\\`*_{}[]#|~", *p))
                buf_addc(b, '\\');
            buf_addc(b, *p);
        }
    }
}

static void
add_row(Buf *b, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    buf_fmt(b, "| %s | ", name);
    add_cell(b, value);
    buf_addz(b, " |\n");
}

Str
notify_summary(Arena *a, const Word *word)
{
    static const char *const marks[] = {"", "", "✅ ", "❌ ", "⚠️ "};
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "### %s", marks[word->kind]);
    add_cell(&b, word_line(a, word));
    buf_addz(&b, "\n\n| | |\n|---|---|\n");
    add_row(&b, "database", word->database);
    add_row(&b, "migration", word->failed);
    add_row(&b, "at", word->error_at);
    add_row(&b, "what to do", word->error_hint);
    add_row(&b, "against the policy", word->break_glass);
    add_row(&b, "health", word->health);
    add_row(&b, "backup", word->backup);
    add_row(&b, "run", word->run_id);
    if (word->migrations.n) {
        buf_fmt(&b, "\n| migration | %s |\n|---|---|\n",
                word->kind == WORD_DONE ? "time" : "state");
        vec_each (const WordMigration, m, &word->migrations) {
            buf_addz(&b, "| ");
            add_cell(&b, m->name);
            buf_fmt(&b, " | %s |\n",
                    word->kind == WORD_DONE ? clock_duration(a, m->ms) : "pending");
        }
    }
    buf_addc(&b, '\n');
    return buf_str(&b);
}

/* ---- Prometheus ---------------------------------------------------------------------------- */

static void
add_label(Buf *b, const char *name, const char *value)
{
    buf_fmt(b, "%s=\"", name);
    for (const char *p = value; *p; p++) {
        if (*p == '\\' || *p == '"')
            buf_addc(b, '\\');
        if (*p == '\n')
            buf_addz(b, "\\n");
        else
            buf_addc(b, *p);
    }
    buf_addc(b, '"');
}

static void
add_gauge(Buf *b, const Word *w, const char *name, const char *help, const char *value)
{
    buf_fmt(b, "# HELP aramid_%s %s\n# TYPE aramid_%s gauge\naramid_%s{", name, help, name, name);
    add_label(b, "environment", w->environment);
    buf_addc(b, ',');
    add_label(b, "database", w->database ? w->database : "");
    buf_fmt(b, "} %s\n", value);
}

static const char *
seconds(Arena *a, int64_t us)
{
    return str_fmt(a, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

Str
notify_prometheus(Arena *a, const Word *w)
{
    Buf b;
    buf_init(&b, a);
    bool ok = w->kind == WORD_DONE;
    add_gauge(&b, w, "last_run_success", "Whether the last run ended well.", ok ? "1" : "0");
    add_gauge(&b, w, "last_run_timestamp_seconds", "When the last run ended.",
              seconds(a, w->began_us + w->ms * 1000));
    add_gauge(&b, w, "last_run_duration_seconds", "How long the last run took.",
              seconds(a, w->ms * 1000));
    add_gauge(&b, w, "last_run_migrations", "Migrations that the last run applied.",
              str_fmt(a, "%zu", ok ? w->migrations.n : 0));
    if (ok && w->migrations.n)
        buf_addz(
            &b,
            "# HELP aramid_migration_duration_seconds How long a migration of the last run took.\n"
            "# TYPE aramid_migration_duration_seconds gauge\n");
    for (size_t i = 0; ok && i < w->migrations.n; i++) {
        const WordMigration *m = &w->migrations.v[i];
        buf_addz(&b, "aramid_migration_duration_seconds{");
        add_label(&b, "environment", w->environment);
        buf_addc(&b, ',');
        add_label(&b, "database", w->database ? w->database : "");
        buf_addc(&b, ',');
        add_label(&b, "migration", m->name);
        buf_fmt(&b, "} %s\n", seconds(a, m->ms * 1000));
    }
    return buf_str(&b);
}
