#include "psl/plural.h"

static const char *const unchanged[] = {
    "accommodation", "adulthood",    "advertising", "advice",     "aggression",     "aid",
    "air",           "aircraft",     "alcohol",     "anger",      "applause",       "arithmetic",
    "assistance",    "athletics",    "bacon",       "baggage",    "beef",           "biology",
    "blood",         "botany",       "bread",       "butter",     "carbon",         "cardboard",
    "cash",          "chalk",        "chaos",       "chess",      "countryside",    "crossroads",
    "dancing",       "deer",         "dignity",     "dirt",       "dust",           "economics",
    "education",     "electricity",  "engineering", "enjoyment",  "envy",           "equipment",
    "ethics",        "evidence",     "evolution",   "fame",       "fiction",        "flour",
    "flu",           "food",         "fuel",        "fun",        "furniture",      "gallows",
    "garbage",       "garlic",       "genetics",    "gold",       "golf",           "gossip",
    "grammar",       "gratitude",    "grief",       "guilt",      "gymnastics",     "happiness",
    "hardware",      "harm",         "hate",        "hatred",     "health",         "heat",
    "help",          "homework",     "honesty",     "honey",      "hospitality",    "housework",
    "humour",        "hunger",       "hydrogen",    "importance", "inflation",      "information",
    "innocence",     "iron",         "irony",       "jam",        "jewelry",        "judo",
    "karate",        "knowledge",    "lack",        "laughter",   "lava",           "leather",
    "leisure",       "lightning",    "linguine",    "linguini",   "linguistics",    "literature",
    "litter",        "livestock",    "logic",       "loneliness", "luck",           "luggage",
    "macaroni",      "machinery",    "magic",       "management", "mankind",        "marble",
    "mathematics",   "mayonnaise",   "measles",     "methane",    "milk",           "money",
    "mud",           "mumps",        "music",       "nature",     "news",           "nitrogen",
    "nonsense",      "nurture",      "nutrition",   "obedience",  "obesity",        "oxygen",
    "pasta",         "patience",     "physics",     "poetry",     "pollution",      "poverty",
    "pride",         "psychology",   "publicity",   "quartz",     "racism",         "relaxation",
    "reliability",   "research",     "respect",     "revenge",    "rice",           "rubbish",
    "rum",           "safety",       "scenery",     "seafood",    "seaside",        "series",
    "shame",         "sheep",        "shopping",    "sleep",      "smoke",          "smoking",
    "snow",          "soap",         "software",    "soil",       "spaghetti",      "species",
    "steam",         "stuff",        "stupidity",   "sunshine",   "symmetry",       "tennis",
    "thirst",        "thunder",      "timber",      "traffic",    "transportation", "trust",
    "underwear",     "unemployment", "unity",       "validity",   "veal",           "vegetarianism",
    "vegetation",    "vengeance",    "violence",    "vitality",   "warmth",         "wealth",
    "weather",       "welfare",      "wheat",       "wildlife",   "wisdom",         "yoga",
    "zinc",          "zoology",
};

static const char *const irregular[][2] = {
    {"die", "dice"}, {"eave", "eaves"},   {"foot", "feet"},   {"goose", "geese"}, {"man", "men"},
    {"ox", "oxen"},  {"quiz", "quizzes"}, {"tooth", "teeth"}, {"woman", "women"}, {"yes", "yeses"},
};

/* A word that ends in one of `stems` and one of `endings` (both lists with |, [ ] and [^ ] stand
 * for one letter) loses the ending and gets `plural`. The first rule that fits decides. */
typedef struct Rule {
    const char *stems, *endings, *plural;
} Rule;

static const Rule rules[] = {
    {"eaux", "", ""},
    {"child", "ren|", "ren"},
    {"pe", "rson|ople", "ople"},
    {"m|l", "ice|ouse", "ice"},
    {"matr|cod|mur|sil|vert|ind|append", "ix|ex", "ices"},
    {"x|ch|ss|sh|zz", "", "es"},
    {"xes|ches|sses|shes|zzes", "", ""},
    {"[^ch][ieo][ln]", "ey", "ies"},
    {"[^aeiouy]|qu", "y", "ies"},
    {"ar|l|ea|eo|oa|hoo", "f", "ves"},
    {"kni|wi|li", "fe", "ves"},
    {"", "sis", "ses"},
    {"apheli|hyperbat|periheli|asyndet|noumen|phenomen|criteri|organ|prolegomen|hedr|automat",
     "a|on", "a"},
    {"agend|addend|millenni|dat|extrem|bacteri|desiderat|strat|candelabr|errat|ov|symposi|"
     "curricul|automat|quor",
     "a|um", "a"},
    {"her|at|gr", "o", "oes"},
    {"seraph|cherub", "im|", "im"},
    {"alumn|alg|vertebr", "a|ae", "ae"},
    {"alumn|syllab|octop|vir|radi|nucle|fung|cact|stimul|termin|bacill|foc|uter|loc|strat", "us|i",
     "i"},
    {"[^l]ias|[aeiou]las|[emjzr]as|[iu]am", "", ""},
    {"e[mn]u", "s|", "s"},
    {"alias|[^aou]us|tlas|gas|ris", "", "es"},
    {"ax|test", "is", "es"},
    {"[^aeiou]ese", "", ""},
    {"", "s", "s"},
    {"", "", "s"},
};

/* Does `word` end in `pattern`? Both are walked from their ends. */
static bool
ends_in(Str word, Str pattern)
{
    size_t at = word.n;
    for (size_t i = pattern.n; i > 0;) {
        if (at == 0)
            return false;
        char c = word.p[--at];
        if (pattern.p[--i] != ']') {
            if (c != pattern.p[i])
                return false;
            continue;
        }
        size_t close = i;
        while (pattern.p[i] != '[')
            i--;
        bool is_negated = pattern.p[i + 1] == '^';
        Str letters = str_slice(pattern, i + 1 + is_negated, close);
        if ((memchr(letters.p, c, letters.n) != NULL) == is_negated)
            return false;
    }
    return true;
}

static bool
ends_in_any(Str word, Str patterns)
{
    while (patterns.p) {
        if (ends_in(word, str_cut(&patterns, '|')))
            return true;
    }
    return false;
}

Str
plural_of(Arena *a, Str word)
{
    for (size_t i = 0; i < COUNT(unchanged); i++) {
        if (str_is(word, unchanged[i]))
            return word;
    }
    for (size_t i = 0; i < COUNT(irregular); i++) {
        if (str_is(word, irregular[i][0]))
            return str_of(irregular[i][1]);
    }
    for (size_t i = 0; i < COUNT(rules); i++) {
        Str endings = str_of(rules[i].endings);
        while (endings.p) {
            Str ending = str_cut(&endings, '|');
            Str stem = str_slice(word, 0, word.n - (str_ends(word, ending) ? ending.n : 0));
            if (str_ends(word, ending) && ends_in_any(stem, str_of(rules[i].stems)))
                return str_of(str_fmt(a, "%.*s%s", STR_ARG(stem), rules[i].plural));
        }
    }
    return word;
}

Str
plural_camel(Arena *a, Str name)
{
    Buf b;
    buf_init(&b, a);
    bool new_word = false, was_lower = false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z';
        if (c == '_' || c == '-') {
            new_word = b.n > 0;
        } else if (c >= '0' && c <= '9') {
            new_word = true;
            buf_addc(&b, c);
        } else if (new_word || (was_lower && is_upper)) {
            /* was_lower stays: the inflector's own way, fooBAR keeps its capitals */
            new_word = false;
            buf_addc(&b, is_lower ? (char)(c - 32) : c);
        } else {
            was_lower = is_lower;
            buf_addc(&b, is_upper ? (char)(c + 32) : c);
        }
    }
    return buf_str(&b);
}
