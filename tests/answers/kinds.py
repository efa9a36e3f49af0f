r"""Pairs by kind: `gold | prediction`, one a line. Equal ones must be found equal, others never.

Kinds are what people's answers go wrong by: notation that a checker reads in part, or not at all.
"""

# ruff: noqa: E501, RUF001

EQUAL: dict[str, str] = {
    "quantities in several units": r"""
        2 \text{ hours } 15 \text{ minutes} | 2 hours 15 minutes
        2 \text{ hours } 15 \text{ minutes} | 135 minutes
        1 \text{ hour } 30 \text{ min} | 1.5 hours
        6 \text{ feet } 2 \text{ inches} | 74 inches
        \$7.25 | 7 dollars and 25 cents
        5 lb 3 oz | 83 oz
        2 \text{ years } 3 \text{ months} | 27 months
    """,
    "congruences": r"""
        x \equiv 2 \pmod 9 | x \equiv 2 \pmod{9}
        x \equiv 2 \pmod 9 | x ≡ 11 (mod 9)
        4 \pmod 9 | 4 mod 9
        4 \bmod 9 | 4 (mod 9)
    """,
    "sequences and pieces": r"""
        1, 4, \ldots, n^2 | 1, 4, \dots, n^2
        \begin{cases} 2x & x>1 \\ x & x \le 1 \end{cases} | \begin{cases} 2x & \text{if } x>1 \\ x & \text{if } x \le 1 \end{cases}
        \int_0^1 x dx | \int_0^1 x\,dx
    """,
    "results of equations": r"""
        31 | 27 + 4 = 31
        31 | n = 27 + 4 = 31
        40 | \angle ABC = 40^\circ
        \frac{1}{3} | x = \frac13 \approx 0.33
        2x+4y=6 | x+2y=3
        y = 2x+3 | 2x - y + 3 = 0
        f(x)=x^2 | f(t)=t^2
        2x+1 | y = 2x+1
    """,
    "named values": r"""
        a=2, b=7 | b=7, a=2
        a=2 \text{ and } b=7 | (2, 7)
        (2, 7) | x=2, y=7
        x=2 \text{ or } x=-1 | -1, 2
        x_1 = 2, x_2 = 3 | 3, 2
        (p,q) = (3,4) | (3,4)
        AB=6, CD=5 | 6, 5
    """,
    "lists": r"""
        4, 4, 7 | 4, 7, 4
        \{1,2,3\} | \{3,2,1\}
        (1,2),(3,4) | (3,4),(1,2)
        18\text{ and }24 | 18, 24
        1; 2; 3 | 1, 2, 3
        \{-1,0,1\} | 0, \pm 1
        \frac{-1 \pm \sqrt{5}}{2} | \frac{-1+\sqrt5}{2}, \frac{-1-\sqrt5}{2}
        y=\pm x | y = x, y=-x
    """,
    "numerals in a base": r"""
        413_6 | 413_{6}
        413_6 | (413)_6
        413_6 | 413₆
        413_6 | 413_{\text{six}}
        413_6 | 413 (base 6)
        413_6 | 413
        3F_{16} | \text{3f}_{16}
    """,
    "letters": r"""
        ab | ba
        a^2b | ba^2
        \text{Friday} | friday
        \text{a circle} | circle
        abc | a \cdot b \cdot c
    """,
    "units": r"""
        17 | 17 km/h
        17 | 17 m/s^2
        17 | 17 blue marbles
        17 | 17 pages per day
        17 | 17 cubic meters
        17 | 17 cm²
        17 | 17 \text{ ft}^{2}
        17 | 17 \text{ m s}^{-1}
        17 | 17 years old
        17 | \$17/hour
        17 | 17 EUR
        17 | €17
        17 | 17 °C
        17 | 17 degrees Celsius
        17 | 17\ \mathrm{m/s^2}
        17 \text{ m} | 17 m
        17 \text{ m} | 1700 cm
        \frac12 | 1/2 cup
    """,
    "calls": r"""
        n(n+2) | n^2+2n
        f(x)+1 | 1 + f(x)
        a(b+c) | ab+ac
        P(1+r) | P(r+1)
    """,
    "ratios": r"""
        4:5 | 8:10
        4:5 | 0.8
        2:3:5 | 4:6:10
        4:5 | 4\colon 5
        4:5 | 4：5
        x:y = 2:3 | 2:3
    """,
    "degrees": r"""
        \sin 30^\circ | \frac12
        \cos(120^\circ) | -0.5
        2\sin 15^\circ \cos 15^\circ | \frac12
        180^\circ - 2\alpha | \pi - 2\alpha
        30^\circ 15' | 30.25^\circ
        45 | 45 º
        45^\circ | \frac{\pi}{4}
        \frac{\pi}{6} | \frac{\pi}{6} \text{ radians}
    """,
    "brackets": r"""
        \{7\} | 7
        \lfloor 7.5 \rfloor | 7
        [7] | 7
        (7) | 7
    """,
    "repeating decimals": r"""
        0.\overline{27} | \frac{3}{11}
        0.1\overline{6} | \frac16
        0.2666... | \frac{4}{15}
        1.\dot{6} | \frac53
        0.\dot{1}4285\dot{7} | 1/7
        0.(3) | 1/3
        -0.\overline{6} | -\frac23
    """,
    "mixed numbers": r"""
        7/4 | 1 3/4
        -7/2 | -3 1/2
        4.5 | 4½
        3/8 | ⅜
        3/8 | 3⁄8
        2\frac{3}{4} | 2 3/4
    """,
    "number words": r"""
        14 | fourteen
        342 | three hundred forty-two
        105 | one hundred and five
        \frac23 | two thirds
        2.5 | two and a half
        3,000,000 | 3 million
        \$1.5 \text{ million} | 1500000
        24 | 2 dozen
        0.05 | 5 hundredths
        21 | 21st
        8 | eighth
        12 | 12^{\text{th}}
    """,
    "digit groups": r"""
        8500 | 8\,500
        8500 | 8 500
        8500 | 8,500
        1234567 | 1_234_567
        1234567.89 | 1,234,567.89
        10000 | 10{,}000
    """,
    "what Python prints": r"""
        (2,5) | {x: 2, y: 5}
        x=2 | {x: 2}
        4,5,6 | [4 5 6]
        -1 < x < 2 | (-1 < x) & (x < 2)
        (-\infty, 0) \cup (2, \infty) | Or(x < 0, x > 2)
        \mathbb{R}\setminus\{1\} | Complement(Reals, {1})
        2.5 | mpf('2.5')
        2.5 | np.float64(2.5)
        2^2 \cdot 5 | {2: 2, 5: 1}
        \text{Ann, Tom} | ['Ann', 'Tom']
        \frac{n(n-1)}{2} | n*(n-1)//2
        3 | log2(8)
    """,
    "sets and conditions": r"""
        (-\infty, 6) | x<6
        (1, 2.5) | 1 < x < 2.5
        x<0 \text{ or } x>2 | (-\infty,0)\cup(2,\infty)
        (3,\infty) | \{x | x > 3\}
        x \ge 2 | \{x \in \mathbb{R} : x \ge 2\}
        \mathbb{R} \setminus \{2\} | x \ne 2
        \mathbb{R} \setminus \{0\} | \text{all real numbers except } 0
        (-\infty,0)\cup(0,1)\cup(1,\infty) | x \neq 0, 1
        (-\infty, \infty) | \text{all real numbers}
        [-3,3] | |x| \le 3
        0 < f(x) < 1 | (0,1)
        (2,\infty) | ]2, \infty[
    """,
    "styles": r"""
        2 - \frac{1}{\mathrm{e}} | 2 - e^{-1}
        3\mathrm{i} | 3i
        \boldsymbol{y} | y
        t_{\text{min}} | t_{min}
        \operatorname{sin} x | \sin x
    """,
    "Unicode": r"""
        \sqrt{7} | √7
        \frac{\sqrt{7}}{3} | √7/3
        y_2 | y₂
        x=8 | x＝8
        -8 | ‑8
        x \ge 8 | x⩾8
        2\pm\sqrt3 | 2±√3
        \lceil x \rceil | ⌈x⌉
        x^4y | x⁴y
        \log_3 2 | log₃2
        𝑥+1 | x+1
        (1,2) | （1，2）
    """,
    "Chinese": r"""
        8 | 8元
        8 | 8平方米
        60 | 60公里/小时
        2,3 | 2和3
        2,3 | 2、3
        BD | B、D
        8 | 8。
        12 | 十二
        50000 | 5万
        1,2 | x=1或x=2
        ①② | ①、②
    """,
    "times and dates": r"""
        7:15 p.m. | 7:15 PM
        3:00 PM | 3 PM
        3 PM | 15:00
        12:00 PM | noon
        \text{May 4} | 4 May
        May 4, 2020 | 2020-05-04
        May 4 | the 4th of May
    """,
    "multiple choice": r"""
        D | D)
        D | (D)
        D | \textbf{(D)}\ 18
        D | D: 18
        D | Option D
        18 | \textbf{(D)}\ 18
        ACD | A,C,D
    """,
    "markdown and prefixes": r"""
        36 | **36**
        36 | Answer: 36
        36 | **Answer:** 36
        36 | The answer is 36.
        36 | ## 36
        36 | Therefore, the answer is $36$.
    """,
    "vectors": r"""
        \begin{pmatrix}3\\1\end{pmatrix} | (3,1)
        (3,1) | \langle 3,1\rangle
        (3,1) | <3, 1>
        2\mathbf{i}-\mathbf{j} | 2\vec{i}-\vec{j}
        2\mathbf{i}-\mathbf{j} | (2,-1)
        (3,1) | Q(3,1)
        \begin{pmatrix}4&6\end{pmatrix} | \begin{pmatrix}1&2\end{pmatrix} + \begin{pmatrix}3&4\end{pmatrix}
    """,
    "general solutions": r"""
        \frac{\pi}{3} + k\pi, k \in \mathbb{Z} | \frac{\pi}{3}+n\pi, n \in \mathbb{Z}
        \frac{\pi}{3} + k\pi, k \in \mathbb{Z} | \frac{4\pi}{3}-k\pi, k \in \mathbb{Z}
        \frac{\pi}{3} + k\pi, k \in \mathbb{Z} | 60^\circ + 180^\circ n \text{ where } n \text{ is an integer}
        k\pi, k \in \mathbb{Z} | 2k\pi, (2k+1)\pi, k \in \mathbb{Z}
        n=5k, k \in \mathbb{Z} | n=5m \text{ for all integers } m
    """,
    "combinatorics and logarithms": r"""
        35 | C(7,3)
        35 | C_{7}^{3}
        35 | {}_{7}C_3
        20 | A_5^2
        \log_2 5 | log_2(5)
        \log_2 5 | \frac{\log 5}{\log 2}
        2 | \lg 100
    """,
}

UNEQUAL: dict[str, str] = {
    "functions against numerals": r"""
        52_8 | |-7|
        52_8 | n!
        413_6 | \sin x
        (413_6, 2) | (floor(x), 2)
    """,
    "a part was read": r"""
        2 \text{ hours } 15 \text{ minutes} | 2 \text{ hours } 45 \text{ minutes}
        2 \text{ hours } 15 \text{ minutes} | 2
        14 | 14 \text{ cows and } 6 \text{ hens}
        x \equiv 2 \pmod 9 | x \equiv 5 \pmod 9
        9 | x \equiv 2 \pmod 9
        x \equiv 3, 5 \pmod 8 | x \equiv 3, 7 \pmod 8
        1, 4, \ldots, n^2 | 1, 5, \ldots, n^2
        5 | n=5k \text{ for all integers } k
        x = 2k\pi, k \in \mathbb{Z} | x = 2k\pi, k \in \mathbb{N}
        (k,k+1) \text{ for } k \ge 1 | (k,k+1)
        3 | \langle 3, 4 \rangle
        3 | 3\mathbf{i} + 4\mathbf{j}
        \begin{cases} 2x & x>1 \\ x & x \le 1 \end{cases} | \begin{cases} 2x & x>2 \\ x & x \le 2 \end{cases}
        4 \text{ or more} | 4
        4 | at least $4$
        4 | The answer is not 4
        4 | x is 4 and y is 5
        y' = 3x | y'' = 3x
        6 | $4$ and $6$
        \lim_{x \to 0} f(x) = 5 | \lim_{x \to 1} f(x) = 5
        \int_0^1 x dx | \int_0^2 x dx
        x^2 | x^2 + C
        A \setminus B | B \setminus A
    """,
    "any equation": r"""
        6 | 3x=6
        6 | |x|=6
        6 | a+b=6
        6 | 5 = 6
        6 | x = 2+3 = 6
        6 | x \to 6
        6 | x > 6
        6 | xy = 6
        x = 6 | 2x = 6
    """,
    "names dropped": r"""
        a=2, b=7 | 7, 2
        a=2, b=7 | a=7, b=2
        7, 2 | a=2, b=7
        f(1)=3 | f(2)=3
        f(0)=1, f(1)=2 | 2, 1
        y=6 | z=6
    """,
    "repeats counted once": r"""
        4, 4, 7 | 4, 7, 7
        4, 4, 7 | 4, 7
        4, 4 | 4
    """,
    "the base ignored": r"""
        413_6 | 413_7
        413_{\text{six}} | 413_{\text{seven}}
        3F_{16} | 3F_{17}
        413_6 | (314)_6
    """,
    "letters commute": r"""
        ACB | BCA
        tar | rat
        no | on
        C, A, B | A, B, C
        PQ | QP
    """,
    "any trailing text is a unit": r"""
        7 \text{ million} | 7
        7 \text{ dozen} | 7
        7 \text{ tenths} | 7
        n \text{ even} | n
        7 | 7 less than x
        7 | 7 remainder 2
        7 \text{ or less} | 7
        7 \text{ and a half} | 7
        25\% | 25 cents
        25\% | 25^\circ
        25 \text{ cm} | 25 \text{ cm}^2
        25 km | 25 m
    """,
    "a call is a product": r"""
        0 | g(0)
        g(3) | 3g
        f(a+b) | f(a)+f(b)
        f(x)g(x) | f(g(x))
        P(2) | 2P
    """,
    "colons and hyphens": r"""
        2:5:7 | 2:7:5
        10:20 | 20:40
        1:25 | 0.04
        4:30 PM | 4:30 AM
        2020-05-04 | 2011
        5/6/2020 | 1/2424
        1-10 | -9
    """,
    "degrees dropped": r"""
        \cos 60^\circ | \cos 60
        \tan x^\circ | \tan x
        45^\circ | 45 \text{ cm}
    """,
    "brackets opened": r"""
        \{2.5\} | 2.5
        \{y\} | y
        [y] | y
        \{2\} | \{\{2\}\}
        \langle 2 \rangle | 2
        \emptyset | \{0\}
    """,
    "several boxes": r"""
        4 | \boxed{3} and \boxed{4}
        3 | First \boxed{3}, then \boxed{4}.
        3,4 | \boxed{3}
    """,
    "right kinds, wrong values": r"""
        0.\overline{27} | 0.\overline{72}
        0.2666... | 0.26
        5 4/3 | 19/3
        1 1/2 | 11/2
        seven | seventeen
        9,500 | 9.5
        1,2 | 12
        [1 -2] | [1-2]
        (2,5) | {x: 5, y: 2}
        (-\infty, 6) | x \le 6
        (0,1) | 0 \le x \le 1
        \mathbb{R}\setminus\{1\} | \mathbb{R}
        3i | 3
        t_{min} | t_{max}
        √7 | √17
        0 | √10
        8元 | 9元
        8元 | 8角
        ①③ | ①②
        ① | 1
        7:15 PM | 7:15
        May 4 | May 14
        D | E
        (D) 18 | (E) 18
        36 | **63**
        (3,1) | \langle 1,3\rangle
        \vec{AB} | \vec{BA}
        k\pi, k \in \mathbb{Z} | 2k\pi, k \in \mathbb{Z}
        4 \pmod 9 | 5 \pmod 9
        35 | C(7,2)
        \log_2 5 | \log_5 2
        \log 2 | \ln 2
    """,
}


def pairs(table: dict[str, str]) -> list[tuple[str, str, str]]:
    """Kind, gold and prediction of every line."""
    return [
        (kind, *line.strip().split(" | ", 1))
        for kind, lines in table.items()
        for line in lines.strip().splitlines()
    ]  # type: ignore[misc]
