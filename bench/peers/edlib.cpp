// edlib as a peer: global edit distances, distance only, one thread.
//
//   g++ -O3 -march=native -o edlib bench/peers/edlib.cpp -ledlib
//   ./edlib SEQUENCES all [LIMIT] [-o DISTANCES]      all pairs of the first LIMIT sequences, condensed order
//   ./edlib SEQUENCES pairs LIST [-o DISTANCES]       the pairs "i j" of the lines of LIST
//   options: -k THRESHOLD   distances above it are reported as one more
//
// SEQUENCES holds one sequence a line. Prints one line: pairs, seconds, microseconds a pair, and the sum of the
// distances as a checksum. DISTANCES receives them as little-endian uint16.
#include <edlib.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  std::vector<std::string> words;
  std::string output;
  int threshold = -1;
  for (int i = 1; i < argc; i++) {
    const std::string word = argv[i];
    if (word == "-o" && i + 1 < argc) output = argv[++i];
    else if (word == "-k" && i + 1 < argc) threshold = std::atoi(argv[++i]);
    else words.push_back(word);
  }
  if (words.size() < 2 || (words[1] != "all" && words[1] != "pairs") || (words[1] == "pairs" && words.size() < 3)) {
    std::cerr << "usage: edlib SEQUENCES all [LIMIT] | edlib SEQUENCES pairs LIST  [-k THRESHOLD] [-o DISTANCES]\n";
    return 2;
  }
  std::ifstream file(words[0]);
  if (!file) {
    std::cerr << "sequences: cannot read " << words[0] << "\n";
    return 1;
  }
  std::vector<std::string> sequences;
  for (std::string line; std::getline(file, line);) sequences.push_back(line);

  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  if (words[1] == "all") {
    size_t count = sequences.size();
    if (words.size() > 2) count = std::min<size_t>(count, std::strtoul(words[2].c_str(), nullptr, 10));
    for (uint32_t i = 0; i < count; i++) {
      for (uint32_t j = i + 1; j < count; j++) pairs.emplace_back(i, j);
    }
  } else {
    std::ifstream list(words[2]);
    for (uint32_t i, j; list >> i >> j;) {
      if (i >= sequences.size() || j >= sequences.size()) {
        std::cerr << "pairs: indices must be below " << sequences.size() << ", got " << i << " " << j << "\n";
        return 1;
      }
      pairs.emplace_back(i, j);
    }
  }

  std::vector<uint16_t> distances(pairs.size());
  const EdlibAlignConfig config = edlibNewAlignConfig(threshold, EDLIB_MODE_NW, EDLIB_TASK_DISTANCE, nullptr, 0);
  uint64_t checksum = 0;
  const auto start = std::chrono::steady_clock::now();
  for (size_t p = 0; p < pairs.size(); p++) {
    const std::string& a = sequences[pairs[p].first];
    const std::string& b = sequences[pairs[p].second];
    const EdlibAlignResult result = edlibAlign(a.data(), a.size(), b.data(), b.size(), config);
    const int distance = result.editDistance < 0 ? threshold + 1 : result.editDistance;
    edlibFreeAlignResult(result);
    distances[p] = static_cast<uint16_t>(distance);
    checksum += distance;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%zu pairs %.6f s %.4f us/pair checksum %llu\n", pairs.size(), seconds.count(),
              pairs.empty() ? 0.0 : seconds.count() * 1e6 / pairs.size(), static_cast<unsigned long long>(checksum));
  if (!output.empty()) {
    std::ofstream out(output, std::ios::binary);
    out.write(reinterpret_cast<const char*>(distances.data()), distances.size() * sizeof(uint16_t));
  }
  return 0;
}
