# SPDX-License-Identifier: MIT
# Planted defects (base/mutant.hpp): one vote, one CRC, one code, one bound, one checksum taken out. The tests that guard them must go red.
# The fourth, the barrier taken out, shows in emitted code: emitted/emitted.cmake.

set(harden_tests "${CMAKE_CURRENT_LIST_DIR}/../harden")

redoubt_mutant_test(vote_of_replicas 2 FILTER "a vote counts words and takes the majority of bits"
    SOURCES "${harden_tests}/votes.cpp")
redoubt_mutant_test(vote_of_copies 2 FILTER "what three copies cannot settle*"
    SOURCES "${harden_tests}/store_limits.cpp")
redoubt_mutant_test(crc 3 FILTER "a checksum finds every single flipped bit*"
    SOURCES "${harden_tests}/store_limits.cpp")
redoubt_mutant_test(code 5 FILTER "single faults in SECDED parameters never reach an output"
    SOURCES "${harden_tests}/ecc.cpp")
redoubt_mutant_test(bound_of_weights 4 FILTER "weights beyond their layer*"
    SOURCES "${harden_tests}/clip.cpp")
redoubt_mutant_test(bound 4 FILTER "range restriction sets what leaves its bounds to zero"
    SOURCES "${harden_tests}/range.cpp")
redoubt_mutant_test(checksum_of_integers 6 FILTER "an int8 checksum finds every flipped bit*"
    SOURCES "${harden_tests}/../kernel/checksum.cpp")
redoubt_mutant_test(checksum_of_floats 6 FILTER "a float checksum finds what is beyond its bound*"
    SOURCES "${harden_tests}/../kernel/checksum.cpp")
redoubt_mutant_test(checksum_of_integer_pixels 6 FILTER "an int8 checksum of pixels finds every flipped bit*"
    SOURCES "${harden_tests}/../kernel/pixel_checksum.cpp")
redoubt_mutant_test(checksum_of_float_pixels 6 FILTER "a float checksum of pixels finds what is beyond its bound*"
    SOURCES "${harden_tests}/../kernel/pixel_checksum.cpp")
redoubt_mutant_test(correction 2 FILTER "duplicated channels are corrected as defined"
    SOURCES "${harden_tests}/../kernel/duplicate.cpp")
