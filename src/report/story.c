/* Events and plan of a run, read back. */
#include "report/story.h"

#include "base/jr.h"

/* "2026-12-01T12:53:48.770Z" as milliseconds since 1970; 0: it is none. */
static int64_t
time_of(Str text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    int64_t n[7] = {0};
    size_t part = 0;
    if (text.n != sizeof form - 1)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        bool is_digit = text.p[i] >= '0' && text.p[i] <= '9';
        if (form[i] == 'd' ? !is_digit : text.p[i] != form[i])
            return 0;
        if (is_digit)
            n[part] = n[part] * 10 + text.p[i] - '0';
        else
            part++;
    }
    /* Days since 1970 of the proleptic Gregorian calendar, years beginning in March. */
    int64_t year = n[0] - (n[1] <= 2), month = (n[1] + 9) % 12;
    int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + n[2] -
                   1 - 719468;
    return ((days * 24 + n[3]) * 60 + n[4]) * 60000 + n[5] * 1000 + n[6];
}

/* A text, or NULL where something else stands. */
static const char *
text_of(JsonReader *r)
{
    if (jr_is_str(r))
        return jr_str(r).p;
    jr_skip(r);
    return NULL;
}

static void
read_finding(JsonReader *r, StoryEvent *e)
{
    if (!jr_is_object(r)) {
        jr_skip(r);
        return;
    }
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "id"))
            e->finding = text_of(r);
        else if (str_is(key, "severity"))
            e->level = text_of(r);
        else if (str_is(key, "object"))
            e->object = text_of(r);
        else if (str_is(key, "path"))
            e->place = text_of(r);
        else if (str_is(key, "fix"))
            e->fix = text_of(r);
        else if (str_is(key, "message") || str_is(key, "text"))
            e->text = text_of(r);
        else
            jr_skip(r);
}

static void
read_error(Arena *a, JsonReader *r, Story *s)
{
    if (!jr_is_object(r)) {
        jr_skip(r);
        return;
    }
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "message"))
            s->error = str_dupz(a, text_of(r));
        else if (str_is(key, "code"))
            s->code = str_dupz(a, text_of(r));
        else if (str_is(key, "detail"))
            s->detail = str_dupz(a, text_of(r));
        else if (str_is(key, "hint"))
            s->hint = str_dupz(a, text_of(r));
        else if (str_is(key, "path"))
            s->error_path = str_dupz(a, text_of(r));
        else if (str_is(key, "exitStatus"))
            s->exit_status = (int)jr_int(r);
        else if (str_is(key, "line") && !jr_null(r))
            s->error_line = (int)jr_int(r);
        else if (!str_is(key, "line"))
            jr_skip(r);
}

static bool
read_event(Arena *a, Arena *scratch, Story *s, Str line, StoryEvent *e, int64_t *ret_time)
{
    JsonReader r;
    *e = (StoryEvent){.ms = -1};
    *ret_time = 0;
    jr_init(&r, scratch, line);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        if (str_is(key, "time"))
            *ret_time = time_of(jr_str(&r));
        else if (str_is(key, "run") && !s->run)
            s->run = str_dupz(a, text_of(&r));
        else if (str_is(key, "event"))
            e->event = text_of(&r);
        else if (str_is(key, "level"))
            e->level = text_of(&r);
        else if (str_is(key, "migration"))
            e->migration = text_of(&r);
        else if (str_is(key, "ms"))
            e->ms = jr_int(&r);
        else if (str_is(key, "text"))
            e->text = text_of(&r);
        else if (str_is(key, "finding"))
            read_finding(&r, e);
        else if (str_is(key, "error"))
            read_error(a, &r, s);
        else
            jr_skip(&r);
    bool ok = jr_done(&r) && e->event && *ret_time;
    if (!e->text)
        e->text = "";
    if (!e->level)
        e->level = "info";
    return ok;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static int64_t
number_of(JsonReader *r)
{
    return jr_null(r) ? -1 : jr_int(r);
}

static void
read_statement(Arena *a, JsonReader *r, StoryMigration *m)
{
    StoryStatement s = {.ms = -1, .forecast = -1};
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "line"))
            s.line = (int)jr_int(r);
        else if (str_is(key, "kind"))
            s.kind = text_of(r);
        else if (str_is(key, "forecastMs"))
            s.forecast = number_of(r);
        else
            jr_skip(r);
    *vec_add(a, &m->statements) = s;
}

static void
read_lock(Arena *a, JsonReader *r, StoryMigration *m)
{
    StoryLock l = {0};
    const char *schema = NULL;
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "schema"))
            schema = text_of(r);
        else if (str_is(key, "relation"))
            l.relation = text_of(r);
        else if (str_is(key, "mode"))
            l.mode = text_of(r);
        else if (str_is(key, "new"))
            l.is_new = jr_bool(r);
        else
            jr_skip(r);
    if (!l.relation || !l.mode)
        return;
    if (schema)
        l.relation = str_fmt(a, "%s.%s", schema, l.relation);
    *vec_add(a, &m->locks) = l;
}

static void
read_step(Arena *a, JsonReader *r, StoryMigration *m)
{
    m->steps++;
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "mode")) {
            const char *mode = text_of(r);
            m->is_apart |= mode && strcmp(mode, "transaction") != 0;
        } else if (str_is(key, "sql")) {
            for (jr_array(r); jr_item(r);)
                read_statement(a, r, m);
        } else if (str_is(key, "locks")) {
            for (jr_array(r); jr_item(r);)
                read_lock(a, r, m);
        } else
            jr_skip(r);
}

static void
read_migration(Arena *a, JsonReader *r, Story *s)
{
    StoryMigration m = {.at = -1, .ms = -1, .forecast = -1};
    jr_object(r);
    for (Str key; jr_key(r, &key);)
        if (str_is(key, "name"))
            m.name = text_of(r);
        else if (str_is(key, "path"))
            m.path = text_of(r);
        else if (str_is(key, "checksum"))
            m.checksum = text_of(r);
        else if (str_is(key, "forecastMs"))
            m.forecast = number_of(r);
        else if (str_is(key, "steps")) {
            for (jr_array(r); jr_item(r);)
                read_step(a, r, &m);
        } else
            jr_skip(r);
    if (m.name)
        *vec_add(a, &s->migrations) = m;
}

/* What stands around the migrations. */
static void
read_around(Arena *a, Story *s, Str text)
{
    JsonReader r;
    jr_init(&r, a, text);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        if (str_is(key, "command"))
            s->command = text_of(&r);
        else if (str_is(key, "environment"))
            s->environment = text_of(&r);
        else
            jr_skip(&r);
    s->skipped += !jr_done(&r);
}

/* The place behind a JSON string that begins at `i`. */
static size_t
behind_string(Str json, size_t i)
{
    for (i++; i < json.n && json.p[i] != '"'; i++)
        i += json.p[i] == '\\';
    return i < json.n ? i + 1 : json.n;
}

/* Each migration is parsed by itself, so that the tree of all of them never stands in memory. */
void
story_plan(Arena *a, Story *s, Str plan)
{
    enum { INSIDE = 3 }; /* the plan, its list, a migration */
    ARENA_LOCAL(scratch);
    Buf around;
    size_t depth = 0, begin = 0;
    buf_init(&around, scratch);
    for (size_t i = 0, next; i < plan.n; i = next) {
        char c = plan.p[i];
        next = c == '"' ? behind_string(plan, i) : i + 1;
        depth += c == '{' || c == '[';
        if (c == '{' && depth == INSIDE)
            begin = i;
        if (depth < INSIDE)
            buf_add(&around, str_slice(plan, i, next));
        if ((c == '}' || c == ']') && depth > 0 && depth-- == INSIDE && c == '}') {
            JsonReader r;
            jr_init(&r, a, str_slice(plan, begin, next));
            read_migration(a, &r, s);
            s->skipped += !jr_done(&r);
        } else if (c == ',' && depth == INSIDE - 1) {
            around.p[--around.n] = '\0';
        }
    }
    if (plan.n)
        read_around(a, s, buf_str(&around));
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Events come in the order of the plan: the one behind the last is looked at first. */
static StoryMigration *
migration_of(Arena *a, Story *s, const char *name, size_t *at)
{
    for (size_t i = 0; i < s->migrations.n; i++) {
        size_t k = (*at + i) % s->migrations.n;
        if (strcmp(s->migrations.v[k].name, name) == 0) {
            *at = k;
            return &s->migrations.v[k];
        }
    }
    *at = s->migrations.n;
    StoryMigration *m = vec_add(a, &s->migrations);
    *m = (StoryMigration){.name = str_dupz(a, name), .at = -1, .ms = -1, .forecast = -1};
    return m;
}

/* "line 5: CREATE TABLE" */
static void
take_statement(Arena *a, StoryMigration *m, const StoryEvent *e)
{
    long long line = 0;
    Str rest = str_of(e->text), number = str_cut(&rest, ':');
    if (!str_starts(number, STR("line ")) ||
        !str_to_int(str_slice(number, 5, number.n), 1, INT32_MAX, &line))
        return;
    vec_each (StoryStatement, s, &m->statements)
        if (s->line == line && s->ms < 0) {
            s->ms = e->ms;
            return;
        }
    *vec_add(a, &m->statements) = (StoryStatement){
        .line = (int)line, .kind = str_dup(a, str_trim(rest)), .ms = e->ms, .forecast = -1};
}

static void
take_event(Arena *a, Story *s, const StoryEvent *e, size_t *at)
{
    const char *event = e->event;
    if (strcmp(event, "connected") == 0 && !s->server)
        s->server = str_dupz(a, e->text);
    s->is_done |= strcmp(event, "done") == 0 || strcmp(event, "failed") == 0;
    if (!e->migration)
        return;
    StoryMigration *m = migration_of(a, s, e->migration, at);
    if (strcmp(event, "migration") == 0) {
        m->at = m->at < 0 ? e->at : m->at;
        m->state = m->state == STORY_PLANNED ? STORY_BEGUN : m->state;
    } else if (strcmp(event, "applied") == 0) {
        m->state = strstr(e->text, "rolled back") ? STORY_UNDONE : STORY_DONE;
        m->ms = e->ms;
        if (m->at < 0)
            m->at = e->at - (e->ms > 0 ? e->ms : 0);
    } else if (strcmp(event, "statement") == 0) {
        take_statement(a, m, e);
    }
}

/* The event with texts of its own: those of the line go. */
static StoryEvent
kept(Arena *a, const StoryEvent *e)
{
    StoryEvent k = *e;
    k.event = str_dupz(a, e->event);
    k.level = str_dupz(a, e->level);
    k.migration = str_dupz(a, e->migration);
    k.text = str_dupz(a, e->text);
    k.finding = str_dupz(a, e->finding);
    k.object = str_dupz(a, e->object);
    k.place = str_dupz(a, e->place);
    k.fix = str_dupz(a, e->fix);
    return k;
}

/* What a migration's own part tells; behind a wait it tells how long that was. */
static bool
is_of_migration(const Story *s, const StoryEvent *e)
{
    const char *before = s->events.n ? s->events.v[s->events.n - 1].event : "";
    bool ends_wait = strcmp(before, "blocked") == 0 || strcmp(before, "waiting") == 0 ||
                     strcmp(before, "retry") == 0;
    if (strcmp(e->event, "statement") == 0)
        return true;
    return e->migration && !ends_wait &&
           (strcmp(e->event, "migration") == 0 || strcmp(e->event, "applied") == 0);
}

void
story_events(Arena *a, Story *s, Str events)
{
    int64_t first = 0, last = 0;
    size_t at = 0;
    for (Str rest = events; rest.p && rest.n;) {
        ARENA_LOCAL(scratch);
        Str line = str_cut(&rest, '\n');
        StoryEvent e;
        int64_t time;
        if (!line.n)
            continue;
        if (!read_event(a, scratch, s, line, &e, &time)) {
            s->skipped++;
            continue;
        }
        if (!first) {
            const char *said = strstr(line.p, "\"time\":\"");
            first = time;
            s->began = said ? str_fmt(a, "%.10s %.8s UTC", said + 8, said + 19) : NULL;
        }
        last = time > last ? time : last;
        e.at = time > first ? time - first : 0;
        take_event(a, s, &e, &at);
        if (!is_of_migration(s, &e) && strcmp(e.event, "done") != 0)
            *vec_add(a, &s->events) = kept(a, &e);
    }
    s->ms = last - first;
    vec_each (StoryMigration, m, &s->migrations)
        if (m->state == STORY_BEGUN && s->error) {
            m->state = STORY_FAILED;
            m->ms = s->ms - m->at;
        }
}

const char *
story_outcome(const Story *s)
{
    return s->error ? "failed" : s->is_done ? "done" : "did not end";
}

size_t
story_count(const Story *s, StoryState state)
{
    size_t n = 0;
    vec_each (const StoryMigration, m, &s->migrations)
        n += m->state == state;
    return n;
}
