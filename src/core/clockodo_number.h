
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_NUMBER_H_INCLUDED_
#define _CLOCKODO_NUMBER_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


/* 2^53 - 1, the largest integer that every JSON reader holds exactly */
#define CLOCKODO_ID_MAX      9007199254740991ULL
#define CLOCKODO_ID_LEN      16

/* the longest of clockodo_number_format(): "-0.0000012345678901234567", 25 */
#define CLOCKODO_NUMBER_LEN  25


/*
 * The integer that text[0..len) spells as [1-9][0-9]*, at most
 * CLOCKODO_ID_MAX; 0 for every other text, the empty one included.
 */
uint64_t clockodo_id_parse(const unsigned char *text, size_t len)
    __attribute__((warn_unused_result));

/*
 * Writes a finite number as ECMAScript's Number::toString does
 * (ECMA-262, 6.1.6.1.20; also what RFC 8785, 3.2.2.3 asks for): the fewest
 * digits that read back as the same double, so 80, 80.0 and 8e1 all give
 * "80", and -0 gives "0".  Not NUL terminated.  Does not depend on the
 * locale.  Returns the length, or 0 for an infinity or a NaN.
 */
size_t clockodo_number_format(double value, char buf[CLOCKODO_NUMBER_LEN])
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_NUMBER_H_INCLUDED_ */
