-- since 14
CREATE table t(a int, b int, c int, a_b int, constraint foo primary key(a,b));
CREATE unique index t_b_key on t(b);
CREATE unique index t_a_b_key on t(b,a);
CREATE unique index u2 on t(a,b desc);
CREATE index t_c_idx on t(c);
CREATE index t_c_idx1 on t(c);
CREATE index i3 on t(c, (a+b));
CREATE unique index uh on t(c) ;
CREATE unique index uexpr on t((a+1));
CREATE index h2 on t using hash(b);
CREATE index bb on t using brin(a int4_minmax_multi_ops, b);
CREATE index ff on t(a) with (fillfactor=50);
