CREATE table t(a int primary key, b text, c bool, d int);
