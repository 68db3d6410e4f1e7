/* A run's folder: events, log, plan. */
#include "report/runlog.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/jw.h"
#include "base/os.h"
#include "config/config.h"
#include "report/error.h"
#include "report/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A script may raise notices by the million. */
enum { NOTICES_MAX = 8 * 1024 * 1024, NOTICE_AROUND = 150 };

struct RunLog {
    Arena *arena;
    const char *project_dir, *id;
    SecretVec secrets;
    const char *dir;
    bool tried;
    FILE *events, *text;
    Buf early_events, early_text; /* of what came before the first event that matters */
    size_t notice_bytes;          /* of the server, in one of the two files */
};

char *
runlog_id(Arena *a)
{
    unsigned char r[3];
    os_random(r, sizeof r);
    return str_fmt(a, "%s-%02x%02x%02x", clock_stamp(a, clock_wall_us()), r[0], r[1], r[2]);
}

RunLog *
runlog_open(Arena *a, const char *project_dir, const char *run_id, const SecretVec *secrets)
{
    RunLog *l = arena_new(a, RunLog);
    *l = (RunLog){.arena = a,
                  .project_dir = project_dir,
                  .id = run_id,
                  .secrets = secrets ? *secrets : (SecretVec){0}};
    buf_init(&l->early_events, a);
    buf_init(&l->early_text, a);
    return l;
}

static FILE *
open_new(Arena *a, const char *dir, const char *name)
{
    return fopen(fs_join(a, dir, name), "ax");
}

static bool
try_dir(RunLog *l, const char *base, unsigned mode)
{
    Err ignored;
    const char *dir = fs_join(l->arena, base, l->id);
    if (!fs_mkdirs(dir, mode, &ignored))
        return false;
    l->events = open_new(l->arena, dir, "events.jsonl");
    l->text = l->events ? open_new(l->arena, dir, "log.txt") : NULL;
    if (!l->text)
        return false;
    l->dir = dir;
    return true;
}

/* A folder in /tmp that is this user's alone: nobody can have put a link or a folder there before.
 * NULL where somebody did. */
static const char *
own_temporary(Arena *a)
{
    const char *tmp = os_env("TMPDIR");
    const char *dir = str_fmt(a, "%s/aramid-runs-%lu", tmp && tmp[0] == '/' ? tmp : "/tmp",
                              (unsigned long)geteuid());
    struct stat st;
    mkdir(dir, 0700); /* there already: looked at below */
    bool own = lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
               (st.st_mode & 077) == 0;
    return own ? dir : NULL;
}

static bool
ensure(RunLog *l)
{
    if (l->tried)
        return l->dir != NULL;
    l->tried = true;
    const char *own = fs_join(l->arena, l->project_dir, ".aramid");
    bool fresh = !fs_exists(own);
    if (try_dir(l, fs_join(l->arena, own, "runs"), 0700)) {
        Err ignored;
        if (fresh && !fs_write(fs_join(l->arena, own, ".gitignore"), STR("*\n"), 0644, &ignored))
            return true; /* only a comfort */
        if (fresh)
            chmod(own, 0755); /* the embedded server's user passes through it */
        return true;
    }
    const char *tmp = own_temporary(l->arena);
    return tmp && try_dir(l, tmp, 0700);
}

void
runlog_close(RunLog *l)
{
    if (l->events)
        fclose(l->events);
    if (l->text)
        fclose(l->text);
    l->events = l->text = NULL;
}

static const char *
redact(RunLog *l, Arena *a, Str text)
{
    return url_redact(a, text, l->secrets.v, l->secrets.n);
}

/* The text of a JSON string that begins behind its quote at *at; moves *at behind its end. */
static Str
read_string(Arena *a, Str json, size_t *at)
{
    Buf b;
    buf_init(&b, a);
    size_t i = *at;
    for (; i < json.n && json.p[i] != '"'; i++) {
        if (json.p[i] != '\\' || i + 1 >= json.n) {
            buf_addc(&b, json.p[i]);
            continue;
        }
        static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
        char c = json.p[++i];
        const char *known = strchr(from, c);
        if (c == 'u' && i + 4 < json.n) { /* our writer escapes control characters only */
            buf_addc(&b, (char)strtoul(str_dup(a, str_slice(json, i + 1, i + 5)), NULL, 16));
            i += 4;
        } else
            buf_addc(&b, known ? to[known - from] : c);
    }
    *at = i < json.n ? i + 1 : i;
    return buf_str(&b);
}

/* Each string by itself, so that what is hidden never ends the JSON around it. */
static Str
redact_json(RunLog *l, Arena *a, Str json)
{
    if (strcmp(redact(l, a, json), json.p) == 0)
        return json;
    Buf out;
    buf_init(&out, a);
    for (size_t i = 0; i < json.n;) {
        if (json.p[i] != '"') {
            buf_addc(&out, json.p[i++]);
            continue;
        }
        i++;
        JsonWriter w;
        jw_init(&w, a, false);
        jw_strz(&w, NULL, redact(l, a, read_string(a, json, &i)));
        buf_add(&out, buf_str(&w.out));
    }
    return buf_str(&out);
}

/* A broken disk must not end a run: what cannot be written is lost. */
static void
put(FILE *f, const char *line, bool flush)
{
    if (fputs(line, f) >= 0 && flush)
        fflush(f);
}

static void
put_early(RunLog *l)
{
    if (!l->early_text.n)
        return;
    put(l->events, l->early_events.p, false);
    put(l->text, l->early_text.p, false);
    buf_clear(&l->early_events);
    buf_clear(&l->early_text);
}

static void
on_event(void *arg, const RunEvent *e)
{
    RunLog *l = arg;
    static const char *const levels[] = {"info", "ok", "warning", "error"};
    bool is_early = !l->dir && (e->kind == RUN_CONNECTED || e->kind == RUN_WAITING ||
                                e->kind == RUN_FINDING || e->kind == RUN_CHECKED);
    if (!is_early && !ensure(l))
        return;
    ARENA_LOCAL(a);
    RunEvent last = {.kind = RUN_NOTICE, .level = RUN_WARN, .migration = e->migration, .ms = -1};
    if (e->kind == RUN_NOTICE) {
        if (l->notice_bytes > NOTICES_MAX)
            return;
        l->notice_bytes += strlen(e->text) + NOTICE_AROUND;
        if (l->notice_bytes > NOTICES_MAX) {
            last.text = "the server sends more notices; they are no longer written down";
            e = &last;
        }
    }
    const char *now = clock_iso(a, clock_wall_us()), *text = redact(l, a, str_of(e->text));
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_strz(&w, "time", now);
    jw_strz(&w, "run", l->id);
    jw_strz(&w, "event", run_event_name(e->kind));
    jw_strz(&w, "level", levels[e->level]);
    if (e->migration)
        jw_strz(&w, "migration", e->migration);
    if (e->index) {
        jw_int(&w, "index", e->index);
        jw_int(&w, "total", e->total);
    }
    if (e->step) {
        jw_int(&w, "step", e->step);
        jw_int(&w, "steps", e->steps);
    }
    if (e->ms >= 0)
        jw_int(&w, "ms", e->ms);
    jw_strz(&w, "text", text);
    if (e->finding) {
        jw_object(&w, "finding");
        finding_json_members(&w, e->finding);
        jw_end(&w);
    }
    jw_end(&w);
    buf_addc(&w.out, '\n');
    Str line = e->finding ? redact_json(l, a, buf_str(&w.out)) : buf_str(&w.out);
    /* Another event follows at once, and is the one to read after a crash. */
    bool flush = e->kind != RUN_APPLIED && e->kind != RUN_STATEMENT;
    const Finding *f = e->finding;
    const char *about = f ? (f->object ? f->object : f->path) : e->migration;
    const char *shown =
        str_fmt(a, "%s %-7s %s%s%s%s\n", now, levels[e->level],
                about ? str_printable(a, str_of(about), false) : "", about ? ": " : "", text,
                e->finding   ? str_fmt(a, " [%s]", finding_info(e->finding->id)->name)
                : e->ms >= 0 ? str_fmt(a, " (%lld ms)", (long long)e->ms)
                             : "");
    if (is_early) {
        buf_add(&l->early_events, line);
        buf_addz(&l->early_text, shown);
        return;
    }
    put_early(l);
    put(l->events, line.p, flush);
    put(l->text, shown, flush);
}

static const char *
place(void *arg)
{
    return runlog_dir(arg);
}

RunSink
runlog_sink(RunLog *l)
{
    return (RunSink){.event = on_event, .arg = l, .place = place};
}

void
runlog_plan(RunLog *l, Str json)
{
    if (!ensure(l))
        return;
    ARENA_LOCAL(a);
    Err ignored;
    if (!fs_write(fs_join(a, l->dir, "plan.json"), redact_json(l, a, json), 0600, &ignored))
        return; /* never a failure of the run */
}

void
runlog_script(RunLog *l, Str sql)
{
    if (!ensure(l))
        return;
    ARENA_LOCAL(a);
    Err ignored;
    if (!fs_write(fs_join(a, l->dir, "rollback.sql"), str_of(redact(l, a, sql)), 0600, &ignored))
        return; /* never a failure of the run */
}

void
runlog_error(RunLog *l, const Err *err)
{
    if (!l->dir)
        return;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    error_text(&b, &(Term){0}, err);
    put_early(l);
    put(l->text, redact(l, a, buf_str(&b)), true);
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_strz(&w, "time", clock_iso(a, clock_wall_us()));
    jw_strz(&w, "run", l->id);
    jw_strz(&w, "event", "failed");
    jw_strz(&w, "level", "error");
    error_json(&w, "error", err);
    jw_end(&w);
    buf_addc(&w.out, '\n');
    put(l->events, redact_json(l, a, buf_str(&w.out)).p, true);
}

void
runlog_done(RunLog *l)
{
    if (!l->dir)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_strz(&w, "time", clock_iso(a, clock_wall_us()));
    jw_strz(&w, "run", l->id);
    jw_strz(&w, "event", "done");
    jw_strz(&w, "level", "ok");
    jw_strz(&w, "text", "done");
    jw_end(&w);
    buf_addc(&w.out, '\n');
    put_early(l);
    put(l->events, w.out.p, true);
}

const char *
runlog_dir(const RunLog *l)
{
    return l->dir;
}
