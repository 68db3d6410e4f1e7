/* The layout that only tests know. */
#pragma once

#include "history/history.h"

extern const HistoryLayout history_toy;
