#include <cmath>
#include <climits>
typedef double R;
typedef long I;
typedef bool B;
using std::exp; using std::log; using std::sqrt; using std::tanh; using std::asinh;
using std::log1p; using std::expm1; using std::pow; using std::floor; using std::ceil;
static inline R larger(R a, R b) { return (a >= b) | (a != a) ? a : b; }
static inline R smaller(R a, R b) { return (a <= b) | (a != a) ? a : b; }
static inline I larger(I a, I b) { return a >= b ? a : b; }
static inline I smaller(I a, I b) { return a <= b ? a : b; }
static inline R magnitude(R a) { return std::fabs(a); }
static inline I magnitude(I a) { return a < 0 ? -a : a; }
static inline bool is_finite(R a) { return std::fabs(a) <= 1.7976931348623157e308; }
static inline R logistic(R a) { return 1.0 / (1.0 + exp(-a)); }
static inline R sign(R a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }
template <class T> static inline T choose(bool c, T a, T b) { return c ? a : b; }
static inline R to_R(I a) { return R(a); }
static inline R to_R(bool a) { return R(a); }
static inline I to_I(R a) { return I(a); }
static inline I to_I(bool a) { return I(a); }
static inline B to_B(R a) { return a != 0; }
static inline B to_B(I a) { return a != 0; }
static inline I clamped(I a, long most) { return a < 0 ? 0 : a > most ? most : a; }
static inline bool any(bool a) { return a; }
static inline R power(R a, int n) { R r = 1; while (n) { if (n & 1) r *= a; a *= a; n >>= 1; } return r; }
static inline I remainder_of(I a, I b) { return a % b; }
static inline R remainder_of(R a, R b) { return std::fmod(a, b); }
