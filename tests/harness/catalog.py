"""What a database holds, as sorted lines that can be compared between two databases.

Left out: histories and journals (`_prisma_migrations`, everything named aramid), and options of
columns that begin with pg_attver, which minor releases since November 2026 keep there themselves.
"""

HISTORY = "(^_prisma_migrations|^_?aramid)"

# Each query gives (line); n is the namespace, c the relation.
_RELATION = f"""
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND n.nspname !~ '{HISTORY}' AND c.relname !~ '{HISTORY}'
      AND NOT EXISTS (SELECT 1 FROM pg_index hi JOIN pg_class ht ON ht.oid = hi.indrelid
                      WHERE hi.indexrelid = c.oid AND ht.relname ~ '{HISTORY}')"""

QUERIES = {
    "schema": "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' "
              f"AND nspname <> 'information_schema' AND nspname !~ '{HISTORY}'",
    "relation": "SELECT format('%I.%I kind=%s persistence=%s rls=%s force=%s options=%s', n.nspname, "
                "c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, "
                f"c.reloptions) {_RELATION}",
    "column": "SELECT format('%I.%I.%I %s notnull=%s default=%s identity=%s generated=%s coll=%s "
              "options=%s storage=%s', n.nspname, c.relname, a.attname, "
              "format_type(a.atttypid, a.atttypmod), a.attnotnull, "
              "pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, "
              "CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation END, "
              "(SELECT array_agg(o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver='), "
              "a.attstorage) "
              + _RELATION.replace("WHERE", """
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  JOIN pg_type t ON t.oid = a.atttypid
                  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND""", 1),
    # NOT NULL constraints are rows of their own since version 18; the column says it already.
    "constraint": "SELECT format('%I.%I %I %s validated=%s', n.nspname, c.relname, k.conname, "
                  "pg_get_constraintdef(k.oid), k.convalidated) "
                  + _RELATION.replace("WHERE", """
                      JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype NOT IN ('n', 't')
                      WHERE""", 1),
    "index": "SELECT format('%s valid=%s ready=%s live=%s clustered=%s replica=%s', "
             "pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive, "
             "i.indisclustered, i.indisreplident) "
             + _RELATION.replace("WHERE", "JOIN pg_index i ON i.indexrelid = c.oid WHERE", 1),
    "view": "SELECT format('%I.%I %s', n.nspname, c.relname, pg_get_viewdef(c.oid)) "
            + _RELATION + " AND c.relkind IN ('v', 'm')",
    "sequence": "SELECT format('%I.%I %s start=%s by=%s min=%s max=%s cycle=%s owned=%s', n.nspname, "
                "c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, "
                "s.seqmax, s.seqcycle, (SELECT format('%s.%s', d.refobjid::regclass, d.refobjsubid) "
                "FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') "
                "AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass)) "
                + _RELATION.replace("WHERE", "JOIN pg_sequence s ON s.seqrelid = c.oid WHERE", 1),
    "function": "SELECT format('%s %s', p.oid::regprocedure, CASE p.prokind WHEN 'a' THEN 'aggregate' "
                "ELSE pg_get_functiondef(p.oid) END) FROM pg_proc p "
                "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' "
                f"AND n.nspname <> 'information_schema' AND n.nspname !~ '{HISTORY}'",
    "trigger": "SELECT pg_get_triggerdef(t.oid) || ' enabled=' || t.tgenabled::text "
               + _RELATION.replace("WHERE", """
                   JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal WHERE""", 1),
    "policy": "SELECT format('%I on %I.%I %s permissive=%s roles=%s using=%s check=%s', p.polname, "
              "n.nspname, c.relname, p.polcmd, p.polpermissive, p.polroles::regrole[], "
              "pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) "
              + _RELATION.replace("WHERE", "JOIN pg_policy p ON p.polrelid = c.oid WHERE", 1),
    "type": "SELECT format('%I.%I kind=%s of=%s labels=%s', n.nspname, t.typname, t.typtype, "
            "CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, "
            "(SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e "
            "WHERE e.enumtypid = t.oid)) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
            "WHERE t.typtype IN ('e', 'd', 'r') AND n.nspname !~ '^pg_' "
            f"AND n.nspname <> 'information_schema' AND n.nspname !~ '{HISTORY}'",
    "extension": "SELECT extname FROM pg_extension",
    "comment": "SELECT format('%s %s.%s %s', d.classoid::regclass, d.objoid::regclass, d.objsubid, "
               "d.description) FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
               "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE d.classoid = 'pg_class'::regclass "
               "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
               f"AND n.nspname !~ '{HISTORY}' AND c.relname !~ '{HISTORY}'",
    "privilege": f"SELECT format('%I.%I %s', n.nspname, c.relname, c.relacl) {_RELATION} "
                 "AND c.relacl IS NOT NULL",
}


def dump(db):
    """All objects of a Database as sorted lines."""
    found = zip(QUERIES, db.columns(QUERIES.values()))
    return sorted(f"{kind}: {line}" for kind, lines in found for line in lines)


def difference(a, b):
    """What only one of two dumps has, as readable lines; [] when they are equal."""
    return ([f"- {line}" for line in a if line not in b]
            + [f"+ {line}" for line in b if line not in a])


def data(db, *tables):
    """Digest of the rows of some tables, in no particular order."""
    return {t: db.one(f"SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM {t} x")
            for t in tables}


def leftovers(db):
    """What no run may leave behind: invalid indexes, sessions of aramid, advisory locks."""
    queries = {
        "invalid indexes": "SELECT indexrelid::regclass::text FROM pg_index "
                           "WHERE NOT (indisvalid AND indisready AND indislive)",
        "sessions": "SELECT format('%s %s %s', pid, state, left(query, 60)) "
                    "FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND application_name ILIKE '%aramid%'",
        "advisory locks": "SELECT format('%s %s', classid, objid) FROM pg_locks WHERE locktype = 'advisory' AND "
                          "database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        "prepared": "SELECT gid FROM pg_prepared_xacts",
    }
    return dict(zip(queries, db.columns(queries.values())))
