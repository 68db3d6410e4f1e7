/* Slack: incoming webhooks with blocks. */
#include "notify/notify.h"

#include "base/clock.h"
#include "base/jw.h"

/* Slack's limits: 3,000 characters a section, 50 blocks. */
enum { SECTION_MAX = 2800, NAMES_MAX = 20 };

/* Slack wants these three escaped, everywhere else is text. */
static void
add_text(Buf *b, const char *text)
{
    for (const char *p = text; *p && b->n < SECTION_MAX; p++) {
        if (*p == '&')
            buf_addz(b, "&amp;");
        else if (*p == '<')
            buf_addz(b, "&lt;");
        else if (*p == '>')
            buf_addz(b, "&gt;");
        else
            buf_addc(b, *p);
    }
    /* Never half a character. */
    b->n = str_utf8_invalid_at(buf_str(b));
    b->p[b->n] = 0;
}

static void
add_section(JsonWriter *w, const Buf *text)
{
    jw_object(w, NULL);
    jw_strz(w, "type", "section");
    jw_object(w, "text");
    jw_strz(w, "type", "mrkdwn");
    jw_str(w, "text", buf_str(text));
    jw_end(w);
    jw_end(w);
}

static void
add_field(Buf *b, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    buf_fmt(b, "%s*%s:* ", b->n ? "\n" : "", name);
    add_text(b, value);
}

static void
add_names(JsonWriter *w, Arena *a, const Word *word)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < word->migrations.n && i < NAMES_MAX; i++) {
        const WordMigration *m = &word->migrations.v[i];
        buf_addz(&b, i ? "\n• `" : "• `");
        add_text(&b, m->name);
        buf_addc(&b, '`');
        if (word->kind == WORD_DONE)
            buf_fmt(&b, " %s", clock_duration(a, m->ms));
    }
    if (word->migrations.n > NAMES_MAX)
        buf_fmt(&b, "\nand %zu more", word->migrations.n - NAMES_MAX);
    if (b.n)
        add_section(w, &b);
}

Str
notify_slack(Arena *a, const Word *word)
{
    static const char *const marks[] = {
        ":memo:", ":arrow_forward:", ":white_check_mark:", ":rotating_light:", ":warning:"};
    JsonWriter w;
    Buf head, fields, people;
    buf_init(&head, a);
    buf_init(&fields, a);
    buf_init(&people, a);
    buf_fmt(&head, "%s *", marks[word->kind]);
    add_text(&head, word_line(a, word));
    buf_addc(&head, '*');
    add_field(&fields, "database", word->database);
    add_field(&fields, "migration", word->failed);
    add_field(&fields, "at", word->error_at);
    add_field(&fields, "what to do", word->error_hint);
    add_field(&fields, "against the policy", word->break_glass);
    add_field(&fields, "health", word->health);
    add_field(&fields, "backup", word->backup);
    add_field(&fields, "by", word->who);
    add_field(&fields, "run", word->run_id);
    add_field(&fields, "release", word->release);
    add_field(&fields, "pipeline", word->link);
    if (word->kind == WORD_FAILED)
        vec_each (const char *const, c, &word->contacts)
            add_field(&people, "call", *c);
    Buf plain; /* what a notification on a telephone shows */
    buf_init(&plain, a);
    if (word->channel) {
        add_text(&plain, word->channel);
        buf_addz(&plain, ": ");
    }
    add_text(&plain, word_line(a, word));
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_str(&w, "text", buf_str(&plain));
    jw_array(&w, "blocks");
    add_section(&w, &head);
    add_names(&w, a, word);
    if (fields.n)
        add_section(&w, &fields);
    if (people.n)
        add_section(&w, &people);
    jw_end(&w);
    jw_end(&w);
    return buf_str(&w.out);
}
