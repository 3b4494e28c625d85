// SPDX-License-Identifier: MIT
// A program that must be caught: its virtual functions bring a table along.
// forbidden: _ZTV
struct shape {
    virtual int sides() const;
};

int shape::sides() const { return 0; }

shape* volatile kept;

int main() {
    shape one;
    kept = &one;
    return kept->sides();
}
