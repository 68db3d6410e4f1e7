CREATE table t(a int primary key, b text, c bool);
CREATE index partial on t(a) where a > 1;
CREATE unique index upart on t(b) where a is not null;
CREATE unique index upart2 on t(b) where c;
CREATE index p3 on t(b) where b = 'x' and c = true;
