// SPDX-License-Identifier: MIT
// A failure nobody looks at.
// expect: nodiscard
// control: -DREJECT_FIXED
#include <redoubt/base/result.hpp>

redoubt::result<void> save();

void caller();

void caller() {
#ifdef REJECT_FIXED
    if (!save()) return;
#else
    save();
#endif
}
