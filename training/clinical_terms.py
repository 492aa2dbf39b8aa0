"""Names of conditions, findings, habits, drugs and procedures, with what else they are called; and body parts.

The dictionary is small on purpose: what it does not hold, no check sees (docs/choosing.md). How its lines are read is
described in training/term_search.py.
"""

import functools

from training.term_search import Dictionary

_CONDITIONS = """
abdominal pain = abdominal pain, belly pain, stomach pain, stomach ache*, pain in abdomen
abscess = abscess*
agitation = agitat*
allergy = allerg*
anemia = anemi*, anaemi*
aneurysm = aneurysm*
angina = angina*
anxiety = anxiety, anxious
appendicitis = appendicitis < appendectomy
arrhythmia = arrhythmia*, dysrhythmia* < atrial fibrillation, tachycardia, bradycardia
arthritis = arthriti*, arthrosis, osteoarth*, OA, DJD, degenerative joint disease
ascites = ascites
aspiration = aspiration*, aspirated
asthma = asthma*
atelectasis = atelecta*
atrial fibrillation = atrial fib*, afib, AF, AFib, a fib
back pain = back pain, backache*, low back pain, lower back pain
bleeding = bleed*, hemorrhag*, haemorrhag* < hematoma
bradycardia = bradycard*
bronchitis = bronchiti*
bruising = bruis*, ecchymos*
cancer = cancer*, carcinom*, malignan*, adenocarcinom*, melanom*, lymphom*, leukemi*, sarcoma*, tumor*, tumour*,
    neoplas*, metasta*
cardiac arrest = cardiac arrest*
cardiomegaly = cardiomegal*, enlarged heart, heart is enlarged, cardiac enlargement
cavity = cavit*
cellulitis = cellulit*
chest pain = chest pain*, chest pressure
chills = chill*, rigors
cirrhosis = cirrho*
colitis = colitis
collection = collection, collections
confusion = confus*, disorient*, muddled
congestion = congestion, congested
consolidation = consolidat*
constipation = constipat*
COPD = COPD, chronic obstructive, emphysem*
coronary artery disease = coronary artery disease*, coronary disease, CAD, ischemic heart disease
cough = cough*
crackles = crackle*, crepitation*, rales
crepitus = crepitus
cyst = cyst, cysts, cystic
deep vein thrombosis = vein thrombos*, venous thrombos*, DVT < thrombosis
dehydration = dehydrat*
delirium = deliri* < confusion
dementia = dementia*, alzheimer*
depression = depressive, major depression, MDD, depressed
diabetes = diabet*, DM, T2DM, IDDM, NIDDM
diarrhea = diarrhea*, diarrhoea*, loose stool*, loose watery, watery stool*
distress = distress
dizziness = dizz*, lightheaded*, light headed*
dyspnea = dyspne*, shortness of breath, short of breath, SOB, breathless*, trouble breathing, difficulty breathing
dysuria = dysuria*
edema = edema*, oedema*, swelling*, swollen, swell
effusion = effusion*
embolism = embol*, PE
endocarditis = endocardit*
erythema = erythem*, redness
fall = fall, falls, fell, fallen
fatigue = fatigue*, tired*
fever = fever*, febrile, pyrexi*
fracture = fractur*
gangrene = gangren*
gastroesophageal reflux = reflux, GERD, heartburn
gout = gout*
hallucinations = hallucinat*, hearing voices, voices
headache = headache*, migraine*
hearing loss = hearing loss, loss of hearing
heart failure = heart failure, CHF, HFREF, HFPEF, HFrEF, HFpEF, cardiac failure
hematoma = hematom*, haematom*
hematuria = hematuri*
hemoptysis = hemoptys*, haemoptys*, coughing up blood
hemothorax = hemothora*
hepatitis = hepatiti*
hernia = hernia, hernias, inguinal herni*, hiatal herni*
HIV = HIV, AIDS
hydronephrosis = hydroneph*
hypercapnia = hypercapni*, hypercarbi*
hyperglycemia = hyperglyc*, high blood sugar
hyperkalemia = hyperkal*
hyperlipidemia = hyperlipid*, hypercholest*, dyslipid*, high cholesterol, HLD
hypertension = hypertens*, HTN, high blood pressure
hyperthyroidism = hyperthyroid*
hypoglycemia = hypoglyc*, low blood sugar
hypokalemia = hypokal*
hyponatremia = hyponatr*
hypotension = hypotens*, low blood pressure
hypothyroidism = hypothyroid*
hypoxia = hypox*, desaturat*
ileus = ileus
incontinence = incontinen*
infarction = infarct*
infection = infect*, URI, cold symptoms < abscess, appendicitis, bronchitis, cellulitis, endocarditis, hepatitis,
    HIV, meningitis, pneumonia, sepsis, tuberculosis, urinary tract infection
infiltrate = infiltrat*
insomnia = insomnia*
ischemia = ischem*, ischaem*
itching = itch*, prurit*
jaundice = jaundic*, icter*
kidney disease = kidney disease, renal disease, CKD, ESRD, ESKD, kidney failure, renal failure, renal insufficiency
kidney injury = acute kidney injury, AKI, acute renal failure
lupus = lupus, SLE
lymphadenopathy = lymphadenopath*, adenopath*, swollen lymph
mass = mass, masses
meningism = meningism*, neck stiffness, stiff neck, nuchal rigidity
meningitis = meningiti*
multiple sclerosis = multiple sclerosis
murmur = murmur*
myocardial infarction = myocardial infarct*, heart attack*, MI, AMI, STEMI, NSTEMI
nausea = nause*
necrosis = necro*
night sweats = night sweat*, sweat*, diaphor*
nodule = nodul*
numbness = numb*, tingling, paresthesi*
obesity = obes*
obstruction = obstruct*
opacity = opaci*
osteoporosis = osteopor*
pain = pain, pains, painful, aches, ache, aching, hurt*, sore, soreness, discomfort* < abdominal pain, angina,
    back pain, chest pain, headache, sore throat
palpitations = palpitat*
pancreatitis = pancreatiti*
paralysis = paraly*, hemipleg*, parapleg*
Parkinson's disease = parkinson*
perforation = perforat*
peritonitis = peritonit*
pneumonia = pneumonia*, CAP, HAP, VAP, PNA
pneumothorax = pneumothora*, PTX
pregnancy = pregnan*
pressure injury = pressure injur*, pressure ulcer*, pressure sore*, decubit*, bedsore*
pulmonary fibrosis = pulmonary fibros*, IPF
rash = rash*
regurgitation = regurgitat*
respiratory distress = respiratory distress*, ARDS
respiratory failure = respiratory failure
rhabdomyolysis = rhabdomyol*
seizure = seizure*, epilep*, convuls*, fits
sepsis = sepsis, septic*, urosep*
shock = septic shock, cardiogenic shock, hypovolemic shock, anaphyla*
sick sinus syndrome = sick sinus
sleep apnea = sleep apn*, OSA
smoking = smok*, tobacco, cigarette*
sore throat = sore throat*
stenosis = stenos*, stenot*
stone = stone, stones, calculus, calculi, nephrolith*, gallstone*
stroke = stroke*, CVA, cerebrovascular accident*, TIA, transient ischemic
suicidal ideation = suicid*, self harm, SI
syncope = syncop*, faint*, passed out, pass out, blacked out
tachycardia = tachycard*
tenderness = tender*
thrombosis = thrombos*, thrombus, thrombi, blood clot*, clot, clots < deep vein thrombosis
traumatic brain injury = traumatic brain injur*, TBI, concussion*
tremor = tremor*, shaking
tuberculosis = tubercul*, TB
ulcer = ulcer* < pressure injury
urinary retention = urinary retention
urinary tract infection = urinary tract infect*, UTI, bladder infection*, urosep*
vision loss = vision loss, loss of vision, blind*
vomiting = vomit*, emesis, throwing up, threw up
weakness = weak*
weight gain = weight gain, gained weight
weight loss = weight loss, lost weight, loss of weight
wheeze = wheez*
"""

_DRUGS = """
acetaminophen = acetaminophen, paracetamol, tylenol, APAP
albuterol = albuterol, salbutamol, ventolin
amiodarone = amiodaron*
amlodipine = amlodipin*, norvasc
anticoagulant = anticoagul*, blood thinner* < heparin, enoxaparin, warfarin, apixaban, rivaroxaban
antibiotic = antibiotic* < amoxicillin, azithromycin, cefazolin, ceftriaxone, ciprofloxacin, doxycycline,
    levofloxacin, meropenem, metronidazole, penicillin, piperacillin, vancomycin
amoxicillin = amoxicillin, augmentin
apixaban = apixaban, eliquis
aspirin = aspirin, ASA
atorvastatin = atorvastatin, lipitor
azithromycin = azithromycin, zithromax, z pack
beta blocker = beta block* < atenolol, carvedilol, metoprolol, propranolol
atenolol = atenolol
carvedilol = carvedilol, coreg
cefazolin = cefazolin, ancef
ceftriaxone = ceftriaxone, rocephin
cephalexin = cephalexin, keflex
ciprofloxacin = ciprofloxacin, cipro
clopidogrel = clopidogrel, plavix
dexamethasone = dexamethason*, decadron
digoxin = digoxin
diltiazem = diltiazem, cardizem
diuretic = diuretic* < furosemide, hydrochlorothiazide, spironolactone
dopamine = dopamine
doxycycline = doxycyclin*
enoxaparin = enoxaparin, lovenox
epinephrine = epinephrine, adrenaline
fentanyl = fentanyl
furosemide = furosemid*, lasix
gabapentin = gabapentin, neurontin
haloperidol = haloperidol, haldol
heparin = heparin*
hydrochlorothiazide = hydrochlorothiazide, HCTZ
hydromorphone = hydromorphone, dilaudid
ibuprofen = ibuprofen, advil, motrin
insulin = insulin*
ipratropium = ipratropium, atrovent
levodopa = levodopa*, carbidopa*, sinemet
levofloxacin = levofloxacin, levaquin
levothyroxine = levothyrox*, synthroid
lisinopril = lisinopril, zestril, prinivil
lorazepam = lorazepam, ativan
losartan = losartan, cozaar
meropenem = meropenem
metformin = metformin, glucophage
methylprednisolone = methylprednisolon*, solumedrol, medrol
metoprolol = metoprolol*, lopressor, toprol*
metronidazole = metronidazole, flagyl
midazolam = midazolam, versed
morphine = morphine
nitroglycerin = nitroglycerin*, NTG
norepinephrine = norepinephrine, noradrenaline, levophed
omeprazole = omeprazole, prilosec
ondansetron = ondansetron, zofran
opioid = opioid*, narcotic*, opiate* < fentanyl, hydromorphone, morphine, oxycodone, tramadol
oxycodone = oxycodone, percocet, oxycontin
oxygen therapy = supplemental oxygen, oxygen therapy, nasal cannula, oxygen
pantoprazole = pantoprazole, protonix
penicillin = penicillin*
piperacillin = piperacillin*, zosyn
potassium = potassium*, KCL, KCl
prednisone = prednison*, prednisolone
propofol = propofol
propranolol = propranolol
rivaroxaban = rivaroxaban, xarelto
sertraline = sertraline, zoloft
simvastatin = simvastatin, zocor
spironolactone = spironolacton*, aldactone
statin = statin, statins < atorvastatin, simvastatin
steroid = steroid*, corticosteroid* < dexamethasone, methylprednisolone, prednisone
tramadol = tramadol, ultram, ultracet
vancomycin = vancomycin, vanco
vasopressor = vasopressor*, pressors < dopamine, epinephrine, norepinephrine
warfarin = warfarin, coumadin
"""

_PROCEDURES = """
amputation = amputat*
appendectomy = appendectom*, appendicectom*, appendix out, appendix taken out, appendix was taken out,
    appendix removed, appendix was removed, removal of the appendix, taking out the appendix
biopsy = biops*
bypass surgery = CABG, coronary artery bypass, bypass surger*, coronary bypass
cardiac catheterization = catheterization, catheterisation, cardiac cath
chemotherapy = chemotherap*, chemo
cholecystectomy = cholecystectom*, gallbladder out, gallbladder taken out, gallbladder was taken out,
    gallbladder removed, gallbladder was removed, removal of the gallbladder, taking out the gallbladder
colonoscopy = colonoscop*
coronary intervention = coronary intervention*, PCI, angioplast*, stent*
craniotomy = craniotom*
dialysis = dialysis, hemodialysis, HD
hysterectomy = hysterectom*, uterus removed
intubation = intubat*
pacemaker = pacemaker*
radiotherapy = radiotherap*, radiation therapy, radiation treatment*
tracheostomy = tracheostom*
transfusion = transfus*
transplant = transplant*
ventilation = mechanical ventilation, mechanically ventilated, ventilator*
"""

# Where a side is said of a place and no finding of the dictionary stands beside it.
_BODY_PARTS = """
abdomen = abdomen, abdominal, flank
ankle = ankle*
arm = arm, arms, upper extremit*, elbow*, forearm*, wrist*
breast = breast*
ear = ear, ears
eye = eye, eyes
foot = foot, feet, toe, toes, heel*
hand = hand, hands, finger*, thumb*
hemisphere = hemisphere*, frontal lobe, temporal lobe, parietal, occipital
hip = hip, hips
kidney = kidney*
knee = knee*
leg = leg, legs, lower extremit*, calf, thigh*
lung = lung, lungs, lobe*, pleural, apex, apical, lung base*
ovary = ovar*
shoulder = shoulder*
"""


@functools.cache
def clinical_terms() -> Dictionary:
    """Conditions, findings, drugs and procedures."""
    return Dictionary(_CONDITIONS + _DRUGS + _PROCEDURES)


@functools.cache
def body_parts() -> Dictionary:
    """Body parts that have a side."""
    return Dictionary(_BODY_PARTS)
