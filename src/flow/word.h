/* Telling the team and its tools what happens (settings notify.*, docs/notify.md): Slack, a webhook, Sentry, a
 * collector of OpenTelemetry, Prometheus' textfile, the summary of a job of GitHub. */
#pragma once

#include "flow/flow.h"
#include "notify/notify.h"

/* Begin a word about a run: what is known of environment, pipeline and people. began_us: of the wall clock */
void flow_word_begin(Arena *a, const FlowInput *in, WordKind kind, const char *command, Word *ret);

/* What a deploy or a rollback knows of its end; err NULL = it went well. */
void flow_word_end(Arena *a, Word *w, const RunReport *run, const Err *err);

/* Tell everybody who wants to hear it, in environments that are talked about (notify.profiles). What could not be told is
 * a finding.
 * errors  ERR_HTTP: notify.required is set, the word is that a run begins, and Slack or the webhook was not
 * told; ERR_INTERRUPTED
 * cost  at most twice notify.timeout for each; nothing where nobody is named */
MUST_CHECK bool flow_word(Arena *a, const FlowInput *in, const RunSink *sink, const Word *w,
                          Err *err);
