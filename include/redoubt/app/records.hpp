// SPDX-License-Identifier: MIT
// Injected faults as CSV, out and back in.
#pragma once

#include <redoubt/app/report.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline REDOUBT_ABI {

inline constexpr std::string_view records_head =
    "fault,model,number,protection,ber,trial,image,copy,layer,word,bit,step,add,unit,before,after";

/// One line a fault, behind its cell's label (fault,model,number,protection,ber).
inline std::string records_csv(const std::vector<std::string>& labels, const std::vector<std::vector<campaign::fault_record>>& records) {
    std::string text = std::string{records_head} + "\n";
    for (std::size_t c = 0; c < records.size(); ++c)
        for (const campaign::fault_record& f : records[c]) {
            text += labels[c];
            for (const int v : {f.trial, f.image, f.copy}) text += impl::format(",%d", v);
            text += impl::format(",%.*s,%llu", static_cast<int>(f.layer.size()), f.layer.data(), static_cast<unsigned long long>(f.word));
            for (const int v : {f.bit, f.step, f.add, f.unit}) text += impl::format(",%d", v);
            text += impl::format(",%08x,%08x\n", f.before, f.after);
        }
    return text;
}

/// The recorded faults of one trial of one cell.
struct replayed_trial {
    campaign::fault_kind kind = campaign::fault_kind::weights;
    std::string model, number, protection, amount;
    int trial = 0;
    std::vector<campaign::named_fault> faults;

    bool same_trial(const replayed_trial& o) const {
        return kind == o.kind && model == o.model && number == o.number && protection == o.protection && amount == o.amount &&
               trial == o.trial;
    }
};

/// Reads such a file; `only` picks a trial, all where it is negative. An error names the line and what is wrong in it.
inline result<std::vector<replayed_trial>> parse_records(std::string_view path, std::string_view text, int only) {
    std::vector<replayed_trial> trials;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const auto wrong = [&](std::string_view what) { return error{path} << ": line " << number << ": " << what; };
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return wrong("has no end; the file was cut");
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (number == 1) {
            if (line != records_head) return wrong("is not the head of a record of faults");
            continue;
        }
        std::vector<std::string_view> fields;
        for (;;) {
            const std::size_t comma = line.find(',');
            fields.push_back(line.substr(0, comma));
            if (comma == std::string_view::npos) break;
            line.remove_prefix(comma + 1);
        }
        if (fields.size() != 16) return wrong("does not have 16 fields");
        replayed_trial t;
        const auto kind = std::find(campaign::fault_kind_names.begin(), campaign::fault_kind_names.end(), fields[0]);
        if (kind == campaign::fault_kind_names.end()) return wrong("names no kind of fault");
        t.kind = static_cast<campaign::fault_kind>(kind - campaign::fault_kind_names.begin());
        t.model = fields[1];
        t.number = fields[2];
        t.protection = fields[3];
        t.amount = fields[4];
        campaign::named_fault f;
        bool good = true;
        const auto read = [&](std::string_view field, auto& v, int base) {
            const auto [at, failure] = std::from_chars(field.data(), field.data() + field.size(), v, base);
            good = good && failure == std::errc{} && at == field.data() + field.size();
        };
        int bit = 0;
        read(fields[5], t.trial, 10);
        read(fields[6], f.image, 10);
        read(fields[7], f.copy, 10);
        f.layer = fields[8];
        read(fields[9], f.word, 10);
        read(fields[10], bit, 10);
        read(fields[11], f.step, 10);
        read(fields[12], f.add, 10);
        read(fields[13], f.unit, 10);
        read(fields[14], f.before, 16);
        read(fields[15], f.after, 16);
        if (!good) return wrong("a number is not one");
        if (only >= 0 && t.trial != only) continue;
        if (trials.empty() || !trials.back().same_trial(t)) trials.push_back(t);
        trials.back().faults.push_back(f);
    }
    if (trials.empty()) return error{path} << ": holds no fault" << (only >= 0 ? " of that trial" : "");
    return trials;
}

}  // namespace redoubt::app::inline REDOUBT_ABI
